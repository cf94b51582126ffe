// Opening: whose store it is, who has it, and which format it has.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "eventstore/rocks/disk/presence.h"
#include "eventstore/rocks/format/keys.h"
#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

using absl::StatusCode;

TEST(OpenTest, ASecondOpeningIsRefusedWhileTheFirstLasts) {
  const ScratchDirectory directory;
  {
    const auto store = directory.Open();
    const absl::Status second = RocksEventStore::Open(directory.Options()).status();
    EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(second.message()),
                testing::HasSubstr("another process has this event store open"));
  }
  EXPECT_TRUE(RocksEventStore::Open(directory.Options()).ok());
}

TEST(OpenTest, OnlyALockThatAnotherHoldsIsToldAsHeld) {
  const auto locking = [](int error) {
    return rocks::FromLocking(rocksdb::Status::IOError("While lock file: /x/LOCK", std::strerror(error)),
                              "/x");
  };
  for (const int held : {EAGAIN, EACCES})
    EXPECT_EQ(locking(held).code(), StatusCode::kFailedPrecondition) << std::strerror(held);
  const absl::Status no_locks = locking(ENOLCK);
  EXPECT_EQ(no_locks.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(no_locks.message()), testing::HasSubstr(std::strerror(ENOLCK)));
}

TEST(OpenTest, AStoreKeepsItsNameAndAnotherHasAnother) {
  const ScratchDirectory a;
  const ScratchDirectory b;
  const std::string name = a.Open()->store_id();
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(a.Open()->store_id(), name);
  EXPECT_NE(b.Open()->store_id(), name);
}

TEST(OpenTest, AnotherFormatIsRefused) {
  const ScratchDirectory directory;
  directory.Tamper([](rocks::Database& database) {
    ASSERT_TRUE(database.db()->Put({}, rocks::AsSlice(rocks::kMetaFormatKey), "3").ok());
  });
  EXPECT_EQ(RocksEventStore::Open(directory.Options()).status().code(), StatusCode::kFailedPrecondition);
}

TEST(OpenTest, RecordsWithoutTheStoresMetaDataAreDataLoss) {
  const ScratchDirectory directory;
  ASSERT_TRUE(directory.Open()->AppendAndWait(MakeRequest("c", {MakeEvent("type", {})})).ok());
  directory.Tamper([](rocks::Database& database) {
    ASSERT_TRUE(database.db()->Delete({}, rocks::AsSlice(rocks::kMetaFormatKey)).ok());
  });
  EXPECT_EQ(RocksEventStore::Open(directory.Options()).status().code(), StatusCode::kDataLoss);
}

TEST(OpenTest, NoDirectoryAndNoStoreAreClear) {
  const ScratchDirectory directory;
  RocksEventStore::Options options = directory.Options();
  options.directory += "/no/such";
  EXPECT_EQ(RocksEventStore::Open(options).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(FsckDirectory(directory.path(), [](auto, auto, auto) {}).status().code(), StatusCode::kNotFound);
}

TEST(OpenTest, AStoreThatCannotBeLookedForIsNotSaidToBeMissing) {
  const ScratchDirectory directory;
  EXPECT_EQ(FindStore(directory.path() + "/no/such").code(), StatusCode::kNotFound);
  directory.Open();
  EXPECT_TRUE(FindStore(directory.Options().directory).ok());
  // As without permission, but for root, too.
  const std::string loop = directory.path() + "/loop";
  ASSERT_EQ(symlink(loop.c_str(), loop.c_str()), 0);
  EXPECT_EQ(FindStore(loop).code(), StatusCode::kUnavailable);
  const absl::Status checked = FsckDirectory(loop, [](auto, auto, auto) {}).status();
  EXPECT_EQ(checked.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(checked.message()), testing::HasSubstr("symbolic links"));
}

TEST(OpenTest, ALockThatCannotBeOpenedIsNobodys) {
  const ScratchDirectory directory;
  directory.Open();
  const std::string lock = directory.Options().directory + "/LOCK";
  std::filesystem::remove(lock);
  std::filesystem::create_directory(lock);
  for (const absl::Status& refused :
       {RocksEventStore::Open(directory.Options()).status(),
        FsckDirectory(directory.Options().directory, [](auto, auto, auto) {}).status()}) {
    EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(refused.message()),
                testing::AllOf(testing::HasSubstr("Is a directory"),
                               testing::Not(testing::HasSubstr("has this event store open"))));
  }
}

}  // namespace
}  // namespace qinglan::eventstore
