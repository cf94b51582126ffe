// Which generations count, which go, and which are kept because nothing continues them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(GenerationsTest, OldGenerationsGoAndTakeOnlyWhatNobodyElseNeeds) {
  const Installation installation;
  const auto store = installation.Open();
  for (int round = 0; round < 5; ++round) {
    AppendCommits(*store, round * 200 + 1, round * 200 + 200);
    installation.Back(*store);
  }
  ASSERT_EQ(*installation.Backups()->Purge(2), 3u);
  const auto left = *BackupDirectory::Peek(installation.In("backups"));
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].number, 4u);
  std::set<std::string> needed;
  for (const BackupGeneration& generation : left) {
    for (const BackupFile& file : generation.manifest->files) needed.insert(file.pool);
    EXPECT_THAT(installation.Verify(generation.number).problems, IsEmpty());
  }
  EXPECT_EQ(Contents(installation.In("backups/files")).size(), needed.size());
  EXPECT_EQ(installation.Back(*store).manifest.generation, 6u);
}

TEST(GenerationsTest, ALogThatDoesNotContinueTheNewestGenerationIsRefusedUnlessToldSo) {
  const Installation installation;
  uint64_t head = 0;
  {
    const auto store = installation.Open();
    AppendCommits(*store, 1, 200);
    head = installation.Back(*store).manifest.head.value;
  }
  ASSERT_TRUE(installation.Restore("short", {.to_position = Position(100)}).ok());
  const auto store = installation.Open(installation.In("short"));
  const auto back = [&](bool diverged = false) {
    return CreateBackup(*store, *installation.Backups(), {.diverged = diverged}, NoteNothing);
  };
  const absl::Status shorter = back().status();
  EXPECT_EQ(shorter.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(shorter.message()),
              AllOf(HasSubstr(fmt::format("ends at {} ", store->Head()->value)),
                    HasSubstr(fmt::format("generation 1, which ends at {}:", head))));
  AppendCommits(*store, 1001, 1300);
  ASSERT_GT(store->Head()->value, head);
  EXPECT_EQ(back().status().code(), StatusCode::kFailedPrecondition) << "as long, but another";
  ASSERT_EQ(installation.Backups()->List()->size(), 1u);

  const auto told = back(true);
  ASSERT_TRUE(told.ok()) << told.status();
  for (int more = 0; more < 2; ++more) {
    AppendCommits(*store, 1301 + more, 1301 + more);
    ASSERT_TRUE(back().ok()) << "it continues the newest";
    EXPECT_EQ(*installation.Backups()->Purge(1), 1u);
    EXPECT_EQ(installation.Backups()->List()->size(), 2u) << "the log that was left is kept";
  }
  EXPECT_EQ(installation.Restore("left", {.generation = 1})->head.value, head);
  EXPECT_EQ(installation.Restore("newest")->head, *store->Head());
  fs::remove(installation.In("backups/generations/1.kept"));
  EXPECT_EQ(*installation.Backups()->Purge(1), 1u);
}

TEST(GenerationsTest, AMarkThatWasMadeForABackupThatFailedIsTakenBack) {
  const Installation installation;
  {
    const auto store = installation.Open();
    AppendCommits(*store, 1, 20);
    installation.Back(*store);
  }
  ASSERT_TRUE(installation.Restore("short", {.to_position = Position(10)}).ok());
  const auto store = installation.Open(installation.In("short"));
  const auto kept = [&] { return BackupDirectory::Peek(installation.In("backups"))->front().kept; };
  const std::string in_the_way = installation.In("backups/generations/2.json.partial");
  const auto back = [&] {
    return CreateBackup(*store, *installation.Backups(), {.diverged = true}, NoteNothing).status();
  };
  fs::create_directories(in_the_way);
  EXPECT_FALSE(back().ok());
  EXPECT_FALSE(kept()) << "nothing was left behind";
  ASSERT_TRUE(installation.Backups()->Keep(1).ok());
  EXPECT_FALSE(back().ok());
  EXPECT_TRUE(kept()) << "that mark was there before";
  ASSERT_TRUE(installation.Backups()->Release(1).ok());
  fs::remove(in_the_way);
  EXPECT_TRUE(back().ok());
  EXPECT_TRUE(kept());
}

TEST(GenerationsTest, AGenerationInheritsNoMarkOfOneThatBoreItsNumber) {
  const Installation installation;
  const auto store = installation.Open();
  AppendCommits(*store, 1, 20);
  installation.Back(*store);
  installation.Back(*store);
  EXPECT_THAT(installation.Verify(2).problems, IsEmpty());
  ASSERT_TRUE(installation.Backups()->Keep(2).ok());
  const auto second = [&] { return BackupDirectory::Peek(installation.In("backups"))->at(1); };
  EXPECT_TRUE(second().kept);
  EXPECT_TRUE(second().verified_at.has_value());
  fs::remove(installation.In("backups/generations/2.json"));
  ASSERT_EQ(installation.Back(*store).manifest.generation, 2u);
  EXPECT_FALSE(second().kept);
  EXPECT_FALSE(second().verified_at.has_value());
}

}  // namespace
}  // namespace qinglan::eventstore
