// A backup holds the log and the keys as they were at one instant, costs what is new, and comes back whole.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "eventstore/rocks/compact.h"
#include "eventstore/rocks/fsck.h"
#include "eventstore/transparency/checkpoint_file.h"
#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(BackupTest, ARestoredLogIsTheSameByteForByteAndGoesOn) {
  const Installation installation;
  std::string before;
  {
    const auto store = installation.Open();
    AppendCommits(*store, 1, 300);
    const CreatedBackup created = installation.Back(*store);
    EXPECT_EQ(created.manifest.generation, 1u);
    EXPECT_EQ(created.manifest.head, *store->Head());
    EXPECT_EQ(created.manifest.store_id, store->store_id());
    before = Dump(*store);
    AppendCommits(*store, 301, 350);
  }
  const auto restored = installation.Restore("restored");
  ASSERT_TRUE(restored.ok()) << restored.status();
  {
    const auto store = installation.Open(installation.In("restored"));
    EXPECT_EQ(Dump(*store), before);
    AppendCommits(*store, 301, 310);
    AppendCommits(*store, 290, 300);  // retries: their first answers
    const auto report = Fsck(*store, [](auto, auto, auto) {});
    ASSERT_TRUE(report.ok() && report->clean());
    EXPECT_EQ(report->commits, 310u);
  }
}

TEST(BackupTest, AManifestHoldsTheRootOfTheTreeAndARestoredLogIsHeldAgainstIt) {
  const Installation installation;
  std::string root;
  {
    const auto store = installation.Open();
    AppendCommits(*store, 1, 400);
    const CreatedBackup created = installation.Back(*store);
    root = created.manifest.merkle_root;
    EXPECT_EQ(root, Fsck(*store, [](auto, auto, auto) {})->root);
    AppendCommits(*store, 401, 402);
    EXPECT_NE(installation.Back(*store).manifest.merkle_root, root);
  }
  const std::string file = installation.In("backups/generations/2.json");
  BackupManifest manifest = *installation.Backups()->Find(2);
  manifest.merkle_root = root;
  std::ofstream(file, std::ios::binary | std::ios::trunc) << RenderManifest(manifest);
  EXPECT_THAT(installation.Verify(2).problems,
              ElementsAre(HasSubstr("the root of the log's Merkle tree is")));
  EXPECT_EQ(installation.Restore("other").status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(installation.Verify(1).problems, IsEmpty());
}

TEST(BackupTest, WhatWasSignedOfTheLogComesBackWithAllOfItAndNotWithAPart) {
  const Installation installation;
  const auto store = installation.Open();
  AppendCommits(*store, 1, 10);
  installation.Back(*store);
  const transparency::TreeHead head = *store->CurrentTree();
  const auto key = *transparency::SigningKey::Generate("test.example/log");
  const std::string checkpoints =
      transparency::CheckpointLine({head.size, transparency::SignCheckpoint(head, key), absl::UnixEpoch()},
                                   transparency::LineSum::kOfNone);
  std::ofstream(installation.In("data/checkpoints"), std::ios::binary) << checkpoints;
  installation.Back(*store);
  EXPECT_THAT(installation.Verify(2).problems, IsEmpty());
  ASSERT_TRUE(installation.Restore("unsigned", {.generation = 1}).ok());
  ASSERT_TRUE(installation.Restore("signed").ok());
  ASSERT_TRUE(installation.Restore("part", {.to_position = Position(7)}).ok());
  EXPECT_FALSE(fs::exists(installation.In("unsigned/checkpoints")));
  EXPECT_EQ(Contents(installation.In("signed"))["checkpoints"], checkpoints);
  EXPECT_FALSE(fs::exists(installation.In("part/checkpoints")));
}

TEST(BackupTest, AnEmptyLogIsBackedUpAndRestored) {
  const Installation installation;
  const auto store = installation.Open();
  installation.Back(*store);
  EXPECT_THAT(installation.Verify(1).problems, IsEmpty());
  ASSERT_TRUE(installation.Restore("restored").ok());
  EXPECT_EQ(*installation.Open(installation.In("restored"))->Head(), Position(0));
}

TEST(BackupTest, UnderLoadEachBackupIsAPrefixOfTheLogThatHoldsAllThatWasAcknowledgedBefore) {
  const Installation installation;
  const auto store = installation.Open();
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> acknowledged = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (int n = 0; !stop; ++n) {
        AppendRequest request;
        request.commit_id = fmt::format("{}-{}", w, n);
        request.events = {{"type",
                           {"all", fmt::format("w:{}", w)},
                           absl::CivilDay(2026, 9, 1),
                           std::string(200, static_cast<char>('a' + w))}};
        const auto appended = store->AppendAndWait(std::move(request));
        if (!appended.ok()) return;
        for (uint64_t seen = acknowledged; seen < appended->last.value;)
          if (acknowledged.compare_exchange_weak(seen, appended->last.value)) break;
      }
    });
  }
  for (int round = 1; round <= 4; ++round) {
    const uint64_t at_least = acknowledged;
    const CreatedBackup created = installation.Back(*store);
    EXPECT_GE(created.manifest.head.value, at_least);
    const VerifiedBackup verified = installation.Verify(static_cast<uint64_t>(round));
    EXPECT_THAT(verified.problems, IsEmpty());
    EXPECT_EQ(verified.fsck.events, created.manifest.head.value);
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  for (uint64_t generation = 1; generation <= 4; ++generation) {
    const std::string name = fmt::format("restored-{}", generation);
    const auto restored = installation.Restore(name, {.generation = generation});
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(Dump(*installation.Open(installation.In(name))), Dump(*store, restored->head));
  }
}

TEST(BackupTest, ASecondBackupCopiesOnlyWhatIsNew) {
  const Installation installation;
  const auto store = installation.Open();
  installation.MakeKeys(20);
  AppendCommits(*store, 1, 2000);
  // Else a merge that ends between the two backups makes most files new.
  ASSERT_TRUE(rocks::CompactWhole(store->database()).ok());
  const CreatedBackup first = installation.Back(*store);
  EXPECT_EQ(first.bytes_copied, first.manifest.bytes());
  AppendCommits(*store, 2001, 2010);
  const CreatedBackup second = installation.Back(*store);
  EXPECT_GT(second.manifest.bytes(), first.manifest.bytes() / 2);
  EXPECT_LT(second.bytes_copied, first.bytes_copied / 4);
  EXPECT_THAT(installation.Verify(2).problems, IsEmpty());
}

TEST(BackupTest, KeysComeBackReadableByTheirOwnerOnlyAndAnErasedOneDoesNot) {
  const Installation installation;
  const auto store = installation.Open();
  AppendCommits(*store, 1, 10);
  installation.WriteKey("keys-0e", "the key of erin");
  installation.WriteKey("keys-0a", std::string(3 * 1024 * 1024, 'a'));
  installation.Back(*store);
  fs::remove(installation.In("data/keys/keys-0e"));
  installation.WriteKey("keys-0c", "");
  installation.WriteKey("master.key", "the master key");
  installation.WriteKey("LOCK", "");
  installation.WriteKey("keys-0c.old", "the key of erin");  // left by a rewriting that was interrupted
  installation.WriteKey("keys-0c.new", "the key of erin");
  EXPECT_EQ(installation.Back(*store).manifest.key_files, 2u);
  ASSERT_TRUE(installation.Restore("restored").ok());
  auto expected = Contents(installation.In("data/keys"));
  for (const char* name : {"master.key", "LOCK", "keys-0c.old", "keys-0c.new"})
    ASSERT_EQ(expected.erase(name), 1u) << name;
  EXPECT_EQ(Contents(installation.In("restored/keys")), expected);
  struct stat mode{};
  ASSERT_EQ(stat(installation.In("restored/keys/keys-0a").c_str(), &mode), 0);
  EXPECT_EQ(mode.st_mode & 0777, 0600u);
  installation.Backups()->Purge(1).IgnoreError();
  for (const auto& [name, content] : Contents(installation.In("backups")))
    EXPECT_THAT(content, Not(AnyOf(HasSubstr("the key of erin"), HasSubstr("the master key")))) << name;
}

TEST(BackupTest, TheDirectoryOfAnotherStoreIsRefused) {
  const Installation installation;
  installation.Back(*installation.Open());
  fs::create_directory(installation.In("other"));
  const auto other = installation.Open(installation.In("other"));
  EXPECT_EQ(CreateBackup(*other, *installation.Backups(), {}, NoteNothing).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(BackupDirectory::OpenForWriting(installation.data()).status().code(),
            StatusCode::kFailedPrecondition)
      << "it holds a log";
}

TEST(BackupTest, TwoDoNotWriteTheSameBackupsAtOnce) {
  const Installation installation;
  installation.Back(*installation.Open());
  const std::string path = installation.In("backups");
  {
    const auto writer = installation.Backups();
    EXPECT_EQ(BackupDirectory::OpenForWriting(path).status().code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(BackupDirectory::OpenExisting(path, false).status().code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(BackupDirectory::Peek(path)->size(), 1u);
  }
  const auto reader = BackupDirectory::OpenExisting(path, false);
  EXPECT_TRUE(BackupDirectory::OpenExisting(path, false).ok());
  EXPECT_EQ(BackupDirectory::OpenForWriting(path).status().code(), StatusCode::kFailedPrecondition);
}

TEST(BackupTest, ARestoreTakesNoPlaceThatIsTaken) {
  const Installation installation;
  installation.Back(*installation.Open());
  fs::create_directories(installation.In("full/of"));
  EXPECT_EQ(installation.Restore("full").status().code(), StatusCode::kFailedPrecondition);
  fs::create_directories(installation.In("theirs.partial/of"));
  EXPECT_EQ(installation.Restore("theirs").status().code(), StatusCode::kFailedPrecondition)
      << "what no restore left is not removed";
  fs::create_directory(installation.In("empty"));
  EXPECT_TRUE(installation.Restore("empty").ok());
  EXPECT_EQ(installation.Restore("another", {.generation = 7}).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(installation.In("another")));
}

TEST(BackupTest, WhereNothingCanBeMadeThatIsAnErrorAndNoEndlessSearchForAParent) {
  const Installation installation;
  installation.Back(*installation.Open());
  for (const std::string path : {"/proc/x", "/proc/x/y"}) {
    EXPECT_EQ(rocks::MakeDirectories(path).code(), StatusCode::kNotFound) << path;
    EXPECT_FALSE(BackupDirectory::OpenForWriting(path).ok()) << path;
    EXPECT_FALSE(RestoreBackup(*installation.Backups(), {.data = path}, NoteNothing).ok()) << path;
  }
  const fs::path before = fs::current_path();
  fs::create_directory(installation.In("gone"));
  fs::current_path(installation.In("gone"));
  fs::remove(installation.In("gone"));
  for (const std::string path : {"x", "x/y/", "."}) EXPECT_FALSE(rocks::MakeDirectories(path + "/z").ok());
  fs::current_path(before);
  const std::string deep = installation.In("a/b//c/");
  EXPECT_TRUE(rocks::MakeDirectories(deep).ok());
  EXPECT_TRUE(rocks::MakeDirectories(deep).ok()) << "it is there";
  EXPECT_TRUE(fs::is_directory(deep));
}

TEST(BackupTest, StoppedOnRequestItLeavesNothing) {
  const Installation installation;
  const auto store = installation.Open();
  AppendCommits(*store, 1, 500);
  const auto stopped =
      CreateBackup(*store, *installation.Backups(), {},
                   [](std::string_view phase, uint64_t, uint64_t) { return phase != "copy"; });
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  EXPECT_THAT(Contents(installation.In("backups/files")), IsEmpty());
  EXPECT_FALSE(fs::exists(installation.In("data/log.backup")));
  installation.Back(*store);
  EXPECT_THAT(installation.Verify(1).problems, IsEmpty());
}

}  // namespace
}  // namespace qinglan::eventstore
