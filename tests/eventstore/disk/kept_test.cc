// What is kept in memory for readers, events and what decompresses them: whoever reads is shown the same,
// wherever it comes from.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zdict.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/rocks/compact.h"
#include "eventstore/rocks/disk/decompression.h"
#include "eventstore/rocks/format/posting.h"
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

// Two commits a tag, each in a block of its own, and a cache that holds few of them.
TEST(FullCacheTest, ReadersKeepEventsAndNoMoreBlocks) {
  constexpr uint64_t kTags = 200;
  const ScratchDirectory directory;
  RocksEventStore::Options options = directory.Options();
  options.cache_bytes = 1024 * 1024;
  auto store = *RocksEventStore::Open(options);
  for (uint64_t n = 1; n <= 2 * kTags; ++n) {
    ASSERT_TRUE(store
                    ->AppendAndWait(MakeRequest(fmt::format("commit-{}", n),
                                                {MakeEvent("large", {fmt::format("t:{}", (n + 1) / 2)},
                                                           std::string(6'000, static_cast<char>(n)))}))
                    .ok());
  }
  ASSERT_TRUE(rocks::CompactWhole(store->database()).ok());
  store.reset();
  store = *RocksEventStore::Open(options);
  const auto reads = [&](uint64_t tag) {
    return Texts(*store, Query{{{{}, {fmt::format("t:{}", tag)}}}}).size();
  };
  const auto keeps = [&](uint64_t position) {
    return static_cast<bool>(rocks::EventCache(store->database()).Find(Position(position)));
  };
  const auto keeps_block = [&](uint64_t position) {
    rocksdb::ReadOptions of_the_cache;
    of_the_cache.read_tier = rocksdb::kBlockCacheTier;
    std::string record;
    const auto status = store->database().db()->Get(of_the_cache, store->database().log(),
                                                    rocks::PositionKey(Position(position)), &record);
    EXPECT_TRUE(status.ok() || status.IsIncomplete()) << status.ToString();
    return status.ok();
  };
  for (uint64_t tag = 1; tag <= 3; ++tag) {
    ASSERT_EQ(reads(tag), 2);
    EXPECT_TRUE(keeps(2 * tag) && keeps_block(2 * tag)) << tag << ", while there is room";
  }
  for (uint64_t tag = 1; tag <= kTags; ++tag) ASSERT_EQ(reads(tag), 2);
  int kept_blocks = 0;
  for (uint64_t tag = 1; tag <= 16; ++tag) {
    ASSERT_FALSE(keeps(2 * tag) || keeps_block(2 * tag)) << "the cache was to be full";
    ASSERT_EQ(reads(tag), 2);
    EXPECT_TRUE(keeps(2 * tag));
    kept_blocks += keeps_block(2 * tag) ? 1 : 0;
  }
  EXPECT_EQ(kept_blocks, 1) << "now and then";
}

// The rest is about decompression: what is kept for it is what zstd would make anew.

std::string Block(size_t number) {
  std::string block;
  for (size_t i = 0; i < 40; ++i) {
    block += fmt::format("teacher:{} attended session:{}; ", number * 7919 + i, number % 13);
  }
  return block;
}

// Trained on blocks from `first` on.
std::string Dictionary(size_t first) {
  std::string samples;
  std::vector<size_t> sizes;
  for (size_t i = first; i < first + 400; ++i) {
    samples += Block(i);
    sizes.push_back(Block(i).size());
  }
  std::string dictionary(4096, '\0');
  const size_t size = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                                            sizes.data(), static_cast<unsigned>(sizes.size()));
  EXPECT_FALSE(ZDICT_isError(size)) << ZDICT_getErrorName(size);
  dictionary.resize(size);
  return dictionary;
}

std::string Compress(const std::string& text, const std::string& dictionary) {
  std::string compressed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  compressed.resize(ZSTD_compress_usingDict(context, compressed.data(), compressed.size(), text.data(),
                                            text.size(), dictionary.data(), dictionary.size(), 3));
  ZSTD_freeCCtx(context);
  return compressed;
}

// By the calls that RocksDB makes.
std::string Decompress(const std::string& compressed, const std::string& dictionary) {
  std::string text(Block(0).size() * 2, '\0');
  ZSTD_DCtx* context = ZSTD_createDCtx();
  const size_t size = ZSTD_decompress_usingDict(context, text.data(), text.size(), compressed.data(),
                                                compressed.size(), dictionary.data(), dictionary.size());
  ZSTD_freeDCtx(context);
  if (ZSTD_isError(size)) return "an error";
  text.resize(size);
  return text;
}

TEST(DecompressionTest, BlocksOfSeveralDictionariesAndOfNoneComeBackWhole) {
  const std::vector<std::string> dictionaries = {Dictionary(0), Dictionary(50'000), std::string(1000, 'x'),
                                                 ""};
  for (size_t number = 0; number < 40; ++number) {
    const std::string& dictionary = dictionaries[number % dictionaries.size()];
    EXPECT_EQ(Decompress(Compress(Block(number), dictionary), dictionary), Block(number));
  }
  const std::string compressed = Compress(Block(1), dictionaries[0]);
  EXPECT_EQ(Decompress(compressed, dictionaries[1]), "an error");
  EXPECT_EQ(Decompress(compressed.substr(0, compressed.size() / 2), dictionaries[0]), "an error");
}

TEST(DecompressionTest, ADictionaryIsKeptUntilOthersTakeItsPlace) {
  rocks::Dictionaries dictionaries(2);
  const std::string one = Dictionary(0);
  const std::string two = Dictionary(50'000);
  const std::string three = Dictionary(90'000);
  const auto first = dictionaries.Find(one);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(dictionaries.Find(std::string(one)), first);  // by its bytes, wherever they are
  const auto second = dictionaries.Find(two);
  EXPECT_EQ(dictionaries.Find(one), first);
  EXPECT_EQ(dictionaries.Find(two), second);
  EXPECT_NE(dictionaries.Find(three), nullptr);
  EXPECT_EQ(dictionaries.size(), 2u);
  EXPECT_EQ(first->bytes, one);  // who has it keeps it
}

TEST(DecompressionTest, OfTwoDictionariesWithOneIdEachGetsItsOwn) {
  rocks::Dictionaries dictionaries(2);
  const std::string one = Dictionary(0);
  std::string other = one;
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_EQ(dictionaries.Find(one)->bytes, one);
  EXPECT_EQ(dictionaries.Find(other)->bytes, other);
  EXPECT_EQ(dictionaries.Find(one)->bytes, one);
  EXPECT_EQ(dictionaries.Find(std::string(1000, 'x')), nullptr);
}

TEST(DecompressionTest, ContextsAreKeptUpToALimit) {
  rocks::Contexts contexts(1);
  EXPECT_EQ(contexts.Take(), nullptr);
  ZSTD_DCtx* one = ZSTD_createDCtx();
  ZSTD_DCtx* two = ZSTD_createDCtx();
  EXPECT_TRUE(contexts.Keep(one));
  EXPECT_FALSE(contexts.Keep(two));
  ZSTD_freeDCtx(two);
  EXPECT_EQ(contexts.Take(), one);
  EXPECT_TRUE(contexts.Keep(one));
}

}  // namespace
}  // namespace qinglan::eventstore
