// G9: what an opening, an append and a read take from the disk is bounded by what is asked, however long the
// log is. Counted in bytes, which are the same on every machine, with nothing in memory before.
#include <gmock/gmock.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <random>

#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

using rocksdb::FSRandomAccessFile;
using rocksdb::FSReadRequest;
using rocksdb::FSSequentialFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class CountedTable final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  CountedTable(std::unique_ptr<FSRandomAccessFile> file, std::atomic<uint64_t>& bytes)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), bytes_(bytes) {}

  IOStatus Read(uint64_t offset, size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) const override {
    IOStatus status = FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, context);
    bytes_ += result->size();
    return status;
  }
  IOStatus MultiRead(FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* context) override {
    IOStatus status = FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, context);
    for (size_t i = 0; i < count; ++i) bytes_ += requests[i].result.size();
    return status;
  }

 private:
  std::atomic<uint64_t>& bytes_;
};

class CountedLog final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  CountedLog(std::unique_ptr<FSSequentialFile> file, std::atomic<uint64_t>& bytes)
      : FSSequentialFileOwnerWrapper(std::move(file)), bytes_(bytes) {}

  IOStatus Read(size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    IOStatus status = FSSequentialFileOwnerWrapper::Read(size, options, result, scratch, context);
    bytes_ += result->size();
    return status;
  }

 private:
  std::atomic<uint64_t>& bytes_;
};

// The real file system, and how many bytes were read from it.
class CountedFiles final : public rocksdb::FileSystemWrapper {
 public:
  CountedFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "CountedFiles"; }
  uint64_t bytes() const { return bytes_; }

  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<FSRandomAccessFile>* file, IODebugContext* context) override {
    const IOStatus status = FileSystemWrapper::NewRandomAccessFile(path, options, file, context);
    if (status.ok()) *file = std::make_unique<CountedTable>(std::move(*file), bytes_);
    return status;
  }
  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<FSSequentialFile>* file, IODebugContext* context) override {
    const IOStatus status = FileSystemWrapper::NewSequentialFile(path, options, file, context);
    if (status.ok()) *file = std::make_unique<CountedLog>(std::move(*file), bytes_);
    return status;
  }

 private:
  std::atomic<uint64_t> bytes_ = 0;
};

constexpr uint64_t kCommits = 3'000;
constexpr uint64_t kEventsPerCommit = 20;
constexpr size_t kPayloadBytes = 128;       // that no compression makes smaller
constexpr uint64_t kRareEvents = 20;        // of one tag, all over the log
constexpr uint64_t kAppendsTogether = 100;  // that one sync may serve
constexpr uint64_t kAppends = 20;
// Of a block, of the part of an index that names it, or of a filter's.
constexpr uint64_t kBytesOfABlock = 8 * 1024;
// The tops of the files' indexes and filters, their properties, a write-ahead log of 512 KiB at most, and the
// postings that are in memory only and derived again.
constexpr uint64_t kBytesOfOpening = 640 * 1024;

void Fill(const ScratchDirectory& directory) {
  const auto store = directory.Open();
  std::mt19937 random(1);
  for (uint64_t i = 0; i < kCommits; ++i) {
    std::vector<NewEvent> events;
    for (uint64_t k = 0; k < kEventsPerCommit; ++k) {
      const std::string teacher = "teacher:" + std::to_string(i * kEventsPerCommit + k);
      std::string payload(kPayloadBytes, '\0');
      for (char& c : payload) c = static_cast<char>(random());
      const std::string type = "type " + std::to_string(random());  // no posting is like another
      events.push_back(MakeEvent(type, {teacher, "school:1"}, std::move(payload)));
    }
    if (i % (kCommits / kRareEvents) == 0) events.front().tags.push_back("session:rare");
    AppendRequest request = MakeRequest("commit " + std::to_string(i), std::move(events));
    if (i % kAppendsTogether == 0) {  // in order, so it waits for those before it
      ASSERT_TRUE(store->AppendAndWait(std::move(request)).ok());
    } else {
      store->Append(std::move(request),
                    [](const absl::StatusOr<Appended>& appended) { EXPECT_TRUE(appended.ok()); });
    }
  }
}

// So that all of it is where it will stay: what still waits for a flush is a matter of when, not of how much.
void CompactAll(const ScratchDirectory& directory) {
  directory.Tamper([](rocks::Database& database) {
    for (rocksdb::ColumnFamilyHandle* family : {database.log(), database.index(), database.tree()}) {
      ASSERT_TRUE(database.db()->Flush(rocksdb::FlushOptions(), family).ok());
      ASSERT_TRUE(database.db()->CompactRange(rocksdb::CompactRangeOptions(), family, nullptr, nullptr).ok());
    }
  });
}

// A store that was just opened, and what that and everything since took from the disk.
class Fresh {
 public:
  explicit Fresh(const ScratchDirectory& directory) {
    RocksEventStore::Options options = directory.Options();
    options.env = env_.get();
    auto store = RocksEventStore::Open(options);
    if (store.ok()) store_ = *std::move(store);
    EXPECT_TRUE(store.ok()) << store.status();
  }
  RocksEventStore& store() { return *store_; }
  uint64_t bytes() const { return files_->bytes(); }
  uint64_t BytesOfReading(const Query& query, size_t events) {
    const uint64_t before = bytes();
    const auto positions = Positions(*store_, query);
    EXPECT_TRUE(positions.ok()) << positions.status();
    EXPECT_THAT(*positions, testing::SizeIs(events));
    return bytes() - before;
  }

 private:
  const std::shared_ptr<CountedFiles> files_ = std::make_shared<CountedFiles>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  std::unique_ptr<RocksEventStore> store_;
};

Query Tagged(std::vector<std::string> tags) { return Query{{QueryItem{{}, std::move(tags)}}}; }

// With the condition that there is no such teacher yet, and that of a decision: that nothing more has come of
// what is on every event.
uint64_t BytesOfAppends(Fresh fresh) {
  const uint64_t before = fresh.bytes();
  for (uint64_t i = 0; i < kAppends; ++i) {
    const std::string teacher = "teacher:new " + std::to_string(i);
    AppendRequest request =
        MakeRequest("new " + std::to_string(i), {MakeEvent("type", {teacher}, "payload")});
    request.condition = AppendCondition{Tagged({teacher}), Position(0)};
    EXPECT_TRUE(fresh.store().AppendAndWait(request).ok());
    request.commit_id += " decided";
    request.condition = AppendCondition{Tagged({"school:1"}), *fresh.store().Head()};
    EXPECT_TRUE(fresh.store().AppendAndWait(std::move(request)).ok());
  }
  return fresh.bytes() - before;
}

// One test, for the log takes the time.
TEST(CostTest, WhatIsTakenFromTheDiskIsBoundedByWhatIsAsked) {
  const ScratchDirectory directory;
  Fill(directory);
  CompactAll(directory);

  // Of each event: a block of the index and one of the log, and the part of an index that names it.
  constexpr uint64_t kBytesOfRead = kRareEvents * 4 * kBytesOfABlock;
  ASSERT_GT(Fresh(directory).BytesOfReading(Query::All(), kCommits * kEventsPerCommit), 10 * kBytesOfRead)
      << "the log is too short for the bounds to say something";
  EXPECT_LT(Fresh(directory).bytes(), kBytesOfOpening);
  const uint64_t rare = Fresh(directory).BytesOfReading(Tagged({"session:rare"}), kRareEvents);
  EXPECT_LT(rare, kBytesOfRead);
  EXPECT_LT(Fresh(directory).BytesOfReading(Tagged({"school:1", "session:rare"}), kRareEvents),
            rare + kRareEvents * kBytesOfABlock * 3 / 2)
      << "a tag that is on every event makes none of them dearer";
  // Of the commit's id and of the condition's tag: a filter's part each, or now and then a block that it let
  // through.
  EXPECT_LT(BytesOfAppends(Fresh(directory)), kAppends * 4 * kBytesOfABlock);
}

}  // namespace
}  // namespace qinglan::eventstore
