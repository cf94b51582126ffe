// Events kept in memory: whoever reads is shown the same, wherever it comes from.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/rocks/read/event_cache.h"
#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

constexpr uint64_t kCommits = 40;
constexpr uint64_t kEventsOfACommit = 3;

AppendRequest CommitOf(uint64_t n) {
  AppendRequest request = MakeRequest(fmt::format("commit-{}", n),
                                      {MakeEvent("first", {"all", "a"}, fmt::format("payload {}", n)),
                                       MakeEvent("second", {"all", "b"}, std::string(n, 'x')),
                                       MakeEvent("third", {"all", "a", fmt::format("rest:{}", n % 4)}, "")});
  request.actor = fmt::format("actor-{}", n);
  request.correlation_id = fmt::format("correlation-{}", n);
  request.causation_id = n % 2 == 0 ? "" : fmt::format("causation-{}", n);
  request.events[1].occurred_on = absl::CivilDay(1931, 9, 18);
  return request;
}

// Everything that a reader is shown.
std::string Text(const EventView& event) {
  std::string text = fmt::format("{}|{}|{}|{}|{}|", event.position.value, event.Id(), event.type,
                                 event.occurred_on - absl::CivilDay(), absl::ToUnixMicros(event.recorded_at));
  for (const std::string_view tag : event.tags) text += fmt::format("{},", tag);
  return text +
         fmt::format("|{}|{}|{}|{}", event.actor, event.correlation_id, event.causation_id, event.payload);
}

std::vector<std::string> Texts(const EventStore& store, const Query& query, const ReadOptions& options = {}) {
  std::vector<std::string> texts;
  const auto read = store.Read(query, options, [&](const EventView& event) {
    texts.push_back(Text(event));
    return true;
  });
  EXPECT_TRUE(read.ok()) << read.status();
  return texts;
}

class EventCacheTest : public testing::Test {
 protected:
  EventCacheTest() : store_(directory_.Open()) {
    for (uint64_t n = 1; n <= kCommits; ++n) EXPECT_TRUE(store_->AppendAndWait(CommitOf(n)).ok());
  }
  void Reopen() {
    store_.reset();
    store_ = directory_.Open();
  }
  bool Keeps(uint64_t position) const {
    return static_cast<bool>(rocks::EventCache(store_->database()).Find(Position(position)));
  }

  const ScratchDirectory directory_;
  std::unique_ptr<RocksEventStore> store_;
};

TEST_F(EventCacheTest, TheSecondReaderIsShownWhatTheFirstWas) {
  const std::vector<Query> queries = {Query{{{{}, {"a"}}}}, Query{{{{}, {"b"}}, {{}, {"rest:1"}}}},
                                      Query{{{{"third"}, {"all"}}}}, Query{{{{"first"}, {}}}}};
  const std::vector<ReadOptions> ways = {{},
                                         {.backwards = true},
                                         {.after = Position(10), .up_to = Position(100)},
                                         {.limit = 7, .backwards = true}};
  for (const Query& query : queries) {
    for (const ReadOptions& way : ways) {
      Reopen();
      const std::vector<std::string> first = Texts(*store_, query, way);
      EXPECT_FALSE(first.empty());
      EXPECT_LE(first.size(), way.limit);
      EXPECT_EQ(Texts(*store_, query, way), first);
    }
  }
}

TEST_F(EventCacheTest, ReadersOfOtherEventsOfTheSameCommitMissNothing) {
  const Query all{{{{}, {"all"}}}};
  const std::vector<std::string> expected = Texts(*store_, all);
  ASSERT_EQ(expected.size(), kCommits * kEventsOfACommit);
  for (const char* before : {"a", "b", "rest:2"}) {
    for (const bool backwards : {false, true}) {
      Reopen();
      Texts(*store_, Query{{{{}, {before}}}}, {.limit = 11, .backwards = backwards});
      std::vector<std::string> read = Texts(*store_, all, {.backwards = backwards});
      if (backwards) std::reverse(read.begin(), read.end());
      EXPECT_EQ(read, expected) << before;
    }
  }
}

TEST_F(EventCacheTest, KeepsWhatWasReadByATagAndNoMore) {
  Reopen();
  EXPECT_FALSE(Keeps(1));
  ASSERT_EQ(Texts(*store_, Query{{{{}, {"rest:1"}}}}, {.limit = 2}).size(), 2);
  EXPECT_TRUE(Keeps(3) && Keeps(15)) << "the third events of the commits 1 and 5";
  EXPECT_FALSE(Keeps(1) || Keeps(2) || Keeps(13));
}

TEST_F(EventCacheTest, ALongReadAndALargeEventDriveOutNothing) {
  for (uint64_t n = kCommits + 1; n <= 200; ++n) ASSERT_TRUE(store_->AppendAndWait(CommitOf(n)).ok());
  const auto large = MakeRequest("large", {MakeEvent("large", {"large"}, std::string(100'000, 'x'))});
  const auto appended = store_->AppendAndWait(large);
  ASSERT_TRUE(appended.ok());
  ASSERT_EQ(Texts(*store_, Query{{{{}, {"all"}}}}).size(), 200 * kEventsOfACommit);
  EXPECT_TRUE(Keeps(1) && Keeps(200));
  EXPECT_FALSE(Keeps(300) || Keeps(600));
  ASSERT_EQ(Texts(*store_, Query{{{{}, {"large"}}}}).size(), 1);
  EXPECT_FALSE(Keeps(appended->first.value));
}

TEST_F(EventCacheTest, AStoreWithoutACacheReadsAllTheSame) {
  const std::vector<std::string> expected = Texts(*store_, Query{{{{}, {"a"}}}});
  store_.reset();
  RocksEventStore::Options options = directory_.Options();
  options.cache_bytes = 0;
  const auto store = RocksEventStore::Open(options);
  ASSERT_TRUE(store.ok());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Texts(**store, Query{{{{}, {"a"}}}}), expected);
}

}  // namespace
}  // namespace qinglan::eventstore
