// A disk that refuses a write: nothing of it is stored, nobody sees it, and a new start finds the store
// sound.
#include <absl/synchronization/blocking_counter.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "eventstore/own_status.h"
#include "tests/eventstore/scratch_store.h"
#include "tests/harness/file_size_limit.h"

namespace qinglan::eventstore {
namespace {

// Of a write-ahead log, behind which zeros lie ready.
size_t EndOfWritten(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {}).find_last_not_of('\0') + 1;
}

AppendRequest Request(int n) {
  return MakeRequest(fmt::format("c-{}", n), {MakeEvent("type", {"all"}, std::string(3000, 'x'))});
}

TEST(WriteFailureTest, WhatWasNotWrittenIsNotStoredAndTheStoreIsSoundAfterwards) {
  const ScratchDirectory directory;
  auto store = directory.Open();
  ASSERT_TRUE(store->AppendAndWait(Request(0)).ok());
  {
    const tests::FileSizeLimit limit(EndOfWritten(directory.Files(".log").at(0)) + 1000);
    for (int n = 1; n < 4; ++n) {
      EXPECT_EQ(store->AppendAndWait(Request(n)).status().code(), absl::StatusCode::kUnavailable);
      EXPECT_EQ(*store->Head(), Position(1));
      EXPECT_EQ(Positions(*store, Query::All())->size(), 1u);
    }
  }
  // After an error of the disk other than a full one, only a new start may trust it again.
  EXPECT_EQ(store->AppendAndWait(Request(1)).status().code(), absl::StatusCode::kUnavailable);
  store = nullptr;
  store = directory.Open();
  for (int n = 0; n < 4; ++n) {
    const auto again = store->AppendAndWait(Request(n));
    ASSERT_TRUE(again.ok()) << again.status();
  }
  EXPECT_EQ(*store->Head(), Position(4));
  store = nullptr;
  EXPECT_TRUE(directory.Check().clean());
}

TEST(WriteFailureTest, EachCallerIsGivenAnErrorOfItsOwn) {
  constexpr int kCallers = 8;
  const ScratchDirectory directory;
  auto store = directory.Open();
  ASSERT_TRUE(store->AppendAndWait(Request(0)).ok());
  std::mutex mutex;
  std::vector<absl::Status> told;
  absl::BlockingCounter answered(kCallers);
  {
    const tests::FileSizeLimit limit(EndOfWritten(directory.Files(".log").at(0)) + 1000);
    for (int n = 1; n <= kCallers; ++n) {
      store->Append(Request(n), [&](const absl::StatusOr<Appended>& appended) {
        const std::lock_guard lock(mutex);
        told.push_back(appended.status());
        answered.DecrementCount();
      });
    }
    answered.Wait();
  }
  std::set<const char*> texts;
  for (const absl::Status& status : told) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    texts.insert(status.message().data());
  }
  EXPECT_EQ(texts.size(), static_cast<size_t>(kCallers)) << "what one lets go of another may still read";
}

TEST(OwnStatusTest, IsEqualWithAllThatItCarries) {
  absl::Status status = absl::AbortedError("somebody was faster");
  for (const std::string& payload : {std::string("short"), std::string(1000, 'x')})
    status.SetPayload(payload.substr(0, 1), absl::Cord(payload));
  const absl::Status own = OwnStatus(status);
  EXPECT_EQ(own, status);
  EXPECT_NE(own.message().data(), status.message().data());
  EXPECT_EQ(OwnStatus(absl::OkStatus()), absl::OkStatus());
}

// Nothing is deleted while the manifest may be broken, and the disk does not fill up for ever.
TEST(WriteFailureTest, AfterAnIngestionThatFailedFilesAreKeptUntilTheManifestIsWrittenAgain) {
  const ScratchDirectory directory;
  ASSERT_NE(directory.Open(), nullptr);
  directory.Tamper([](rocks::Database& database) {
    const auto keeps_files = [&] {
      uint64_t deletes = 0;
      EXPECT_TRUE(database.db()->GetIntProperty(rocksdb::DB::Properties::kIsFileDeletionsEnabled, &deletes));
      return deletes == 0;
    };
    const auto write = [&] {
      rocksdb::WriteBatch batch;
      EXPECT_TRUE(batch.Put(database.families().front(), "test", "").ok());
      EXPECT_TRUE(database.WriteSynced(batch).ok());
    };
    EXPECT_FALSE(keeps_files());
    EXPECT_FALSE(database.Ingest(database.index(), {"nowhere.postings"}).ok());
    write();
    EXPECT_TRUE(keeps_files());
    ASSERT_TRUE(database.db()->Flush(rocksdb::FlushOptions(), database.families().front()).ok());
    write();
    EXPECT_FALSE(keeps_files());
  });
}

}  // namespace
}  // namespace qinglan::eventstore
