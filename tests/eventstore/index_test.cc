// The index in its three places (on disk, being written, in memory): readers see one index.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <absl/time/clock.h>
#include <rocksdb/env.h>

#include <atomic>
#include <thread>

#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/index/index_file.h"
#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kCommits = 400;  // with small buffers: several files of the index, and a rest in memory

std::string TagOf(uint64_t n) { return fmt::format("ten:{}", n / 10); }

void Fill(RocksEventStore& store, uint64_t from, uint64_t to) {
  for (uint64_t n = from; n <= to; ++n) {
    const auto request = MakeRequest(fmt::format("c-{}", n), {MakeEvent("type", {"all", TagOf(n)})});
    ASSERT_TRUE(store.AppendAndWait(request).ok());
  }
}

Position OnDisk(const ScratchDirectory& directory) { return directory.Check().indexed_up_to; }

TEST(IndexTest, WhatIsOnDiskAndWhatIsInMemoryReadAsOne) {
  const ScratchDirectory directory;
  {
    const auto store = directory.Open();
    Fill(*store, 1, kCommits);
  }
  const Position on_disk = OnDisk(directory);
  ASSERT_GT(on_disk, Position(0)) << "the test must reach the disk";
  ASSERT_LT(on_disk, Position(kCommits)) << "and leave something in memory";
  const auto store = directory.Open();
  for (const bool backwards : {false, true}) {
    const auto all = Positions(*store, Query{{{{}, {"all"}}}}, {.backwards = backwards});
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->size(), kCommits);
    for (uint64_t i = 0; i < kCommits; ++i) ASSERT_EQ((*all)[i], backwards ? kCommits - i : i + 1);
    // A list that begins on disk and ends in memory, entered at every place.
    const uint64_t ten = on_disk.value / 10 * 10;
    for (uint64_t after = ten - 1; after < ten + 10; ++after) {
      const auto some =
          Positions(*store, Query{{{{}, {TagOf(ten)}}}}, {.after = Position(after), .backwards = backwards});
      ASSERT_TRUE(some.ok()) << some.status();
      ASSERT_EQ(some->size(), std::min<uint64_t>(10, ten + 9 - after));
    }
  }
  for (uint64_t n = 1; n <= kCommits; ++n) {
    const auto found = store->FindCommit(fmt::format("c-{}", n));
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->appended.last, Position(n));
  }
}

TEST(IndexTest, ReadersMissNothingWhileTheIndexMovesToDisk) {
  const ScratchDirectory directory;
  const auto store = directory.Open();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    Fill(*store, 1, 2 * kCommits);
    done = true;
  });
  while (!done && !testing::Test::HasFailure()) {
    const Position head = *store->Head();
    const auto seen = Positions(*store, Query{{{{}, {"all"}}}}, {.up_to = head});
    EXPECT_TRUE(seen.ok()) << seen.status();
    EXPECT_EQ(seen.value_or(std::vector<uint64_t>()).size(), head.value);
    if (head > Position(0)) {
      EXPECT_TRUE(store->FindCommit(fmt::format("c-{}", head.value)).ok());
    }
  }
  writer.join();
}

// The real file system, but that files of the index cannot be made while it refuses.
class RefusesIndexFiles final : public rocksdb::EnvWrapper {
 public:
  RefusesIndexFiles() : rocksdb::EnvWrapper(rocksdb::Env::Default()) {}
  rocksdb::Status NewWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    if (name.ends_with(".postings") && refusing) return rocksdb::Status::IOError("refused");
    return rocksdb::EnvWrapper::NewWritableFile(name, file, options);
  }
  std::atomic<bool> refusing = true;
};

TEST(IndexTest, AnIndexThatCannotBeWrittenEndsAppendsClearlyAndLosesNothing) {
  const ScratchDirectory directory;
  RefusesIndexFiles env;
  RocksEventStore::Options options = directory.Options();
  options.env = &env;
  auto store = RocksEventStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto append = [&](uint64_t n) {
    return (*store)->AppendAndWait(
        MakeRequest(fmt::format("c-{}", n), {MakeEvent("type", {"all", TagOf(n)})}));
  };
  uint64_t stored = 0;
  absl::Status refused;
  while (refused.ok() && stored < 20 * kCommits) {
    refused = append(stored + 1).status();
    if (refused.ok()) ++stored;
  }
  ASSERT_EQ(refused.code(), StatusCode::kUnavailable) << refused << ": memory must have a bound";
  EXPECT_GT(stored, 0u);
  EXPECT_EQ(Positions(**store, Query{{{{}, {"all"}}}})->size(), stored) << "reads go on";

  env.refusing = false;
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  while (!append(stored + 1).ok() && absl::Now() < give_up) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(Positions(**store, Query{{{{}, {"all"}}}})->size(), stored + 1);
  store->reset();
  const FsckReport report = directory.Check();
  EXPECT_TRUE(report.clean()) << report.problems[0].what;
  EXPECT_GT(report.indexed_up_to, Position(0));
}

TEST(IndexTest, AnIndexThatKnowsMoreThanTheLogIsDataLoss) {
  const ScratchDirectory directory;
  Fill(*directory.Open(), 1, kCommits);
  const uint64_t on_disk = OnDisk(directory).value;
  directory.Tamper([&](rocks::Database& database) {
    for (uint64_t n = on_disk; n <= kCommits; ++n) {
      ASSERT_TRUE(database.db()->Delete({}, database.log(), rocks::PositionKey(Position(n))).ok());
    }
  });
  const absl::Status opened = RocksEventStore::Open(directory.Options()).status();
  EXPECT_EQ(opened.code(), StatusCode::kDataLoss) << opened;
  EXPECT_THAT(std::string(opened.message()), HasSubstr(fmt::format("position {}:", on_disk)));
  EXPECT_FALSE(directory.Check().clean());
}

TEST(IndexTest, AStoreOfFormatOneIsTakenOver) {
  const ScratchDirectory directory;
  Fill(*directory.Open(), 1, 20);
  directory.Tamper([](rocks::Database& database) {  // as format 1 left it: every posting beside its commit
    rocks::MemoryIndex all;
    for (uint64_t n = 1; n <= 20; ++n) {
      rocks::CommitPostings postings(fmt::format("c-{}", n), Position(n));
      const std::string tag = TagOf(n);
      const std::string_view tags[] = {"all", tag};
      postings.AddEvent(Position(n), "type", tags);
      all.Add(postings.all());
    }
    ASSERT_TRUE(rocks::WriteIndexFile(database, all, Position(20)).ok());
    ASSERT_TRUE(database.db()->Delete({}, database.index(), rocks::AsSlice(rocks::kIndexedKey)).ok());
    ASSERT_TRUE(database.db()->Put({}, rocks::AsSlice(rocks::kMetaFormatKey), "1").ok());
  });
  EXPECT_EQ(FsckDirectory(directory.path(), [](auto, auto, auto) {}).status().code(),
            StatusCode::kFailedPrecondition);
  {
    const auto store = directory.Open();
    Fill(*store, 21, 22);
    EXPECT_THAT(*Positions(*store, Query{{{{}, {TagOf(20)}}}}), ElementsAre(20, 21, 22));
    EXPECT_TRUE(store->AppendAndWait(MakeRequest("c-7", {MakeEvent("type", {})}))->replayed);
  }
  const FsckReport report = directory.Check();
  EXPECT_TRUE(report.clean()) << report.problems[0].what;
  EXPECT_EQ(report.indexed_up_to, Position(20));
}

}  // namespace
}  // namespace qinglan::eventstore
