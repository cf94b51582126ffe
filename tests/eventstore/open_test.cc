// Opening: whose store it is, who has it, and which format it has.
#include <gmock/gmock.h>

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

}  // namespace
}  // namespace qinglan::eventstore
