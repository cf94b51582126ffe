// Whatever is damaged in a backup is found, named, and never restored.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "eventstore/transparency/checkpoint_file.h"
#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BackupDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto store = installation_.Open();
    AppendCommits(*store, 1, 400);
    installation_.MakeKeys(1);
    manifest_ = installation_.Back(*store).manifest;
    ASSERT_THAT(installation_.Verify(1).problems, IsEmpty());
  }

  std::string PoolPath(const BackupFile& file) const {
    return installation_.In("backups/files/" + file.pool);
  }

  absl::StatusOr<CreatedBackup> Back(const RocksEventStore& store, bool diverged = false) const {
    return CreateBackup(store, *installation_.Backups(), {.diverged = diverged}, NoteNothing);
  }

  void ExpectFound(const std::string& name) {
    const VerifiedBackup verified = installation_.Verify(1);
    EXPECT_THAT(verified.problems, Contains(HasSubstr(name)));
    EXPECT_FALSE((*BackupDirectory::Peek(installation_.In("backups")))[0].verified_at.has_value());
    EXPECT_EQ(installation_.Restore("restored").status().code(), StatusCode::kDataLoss);
    EXPECT_FALSE(fs::exists(installation_.In("restored")));
    EXPECT_FALSE(fs::exists(installation_.In("trial")));
  }

  const Installation installation_;
  BackupManifest manifest_;
};

TEST_F(BackupDamageTest, AFlippedByteInAnyFileIsFoundAndTheFileNamed) {
  ASSERT_GE(manifest_.files.size(), 5u) << "tables, CURRENT, MANIFEST, OPTIONS, keys";
  for (const BackupFile& file : manifest_.files) {
    if (file.bytes == 0) continue;
    SCOPED_TRACE(file.path);
    for (const size_t at :
         {size_t{0}, static_cast<size_t>(file.bytes) / 2, static_cast<size_t>(file.bytes) - 1}) {
      FlipByteOf(PoolPath(file), at);
      ExpectFound(file.pool);
      FlipByteOf(PoolPath(file), at);
    }
  }
  EXPECT_THAT(installation_.Verify(1).problems, IsEmpty());
}

TEST_F(BackupDamageTest, AFileThatIsShortLongOrMissingIsFound) {
  for (const BackupFile& file : manifest_.files) {
    if (file.bytes == 0) continue;
    SCOPED_TRACE(file.path);
    const std::string path = PoolPath(file);
    fs::copy_file(path, path + ".kept");
    fs::resize_file(path, file.bytes - 1);
    ExpectFound(file.pool);
    fs::resize_file(path, file.bytes + 1);
    ExpectFound(file.pool);
    fs::remove(path);
    ExpectFound(file.pool);
    fs::rename(path + ".kept", path);
  }
}

TEST_F(BackupDamageTest, AnyByteOfTheManifestCounts) {
  const std::string path = installation_.In("backups/generations/1.json");
  for (size_t at = 0; at < fs::file_size(path); at += 7) {
    FlipByteOf(path, at);
    EXPECT_EQ(
        BackupDirectory::OpenExisting(installation_.In("backups"), false).value()->Find(1).status().code(),
        StatusCode::kDataLoss)
        << at;
    FlipByteOf(path, at);
  }
  FlipByteOf(path, 10);
  ExpectFound("generation 1: the manifest is damaged");
}

TEST_F(BackupDamageTest, AfterADamagedManifestBackupsGoOnWhenToldAndNothingItMayNeedIsRemoved) {
  const auto files_before = Contents(installation_.In("backups/files"));
  FlipByteOf(installation_.In("backups/generations/1.json"), 10);
  const auto store = installation_.Open();
  AppendCommits(*store, 401, 500);
  EXPECT_EQ(Back(*store).status().code(), StatusCode::kFailedPrecondition);
  const auto told = Back(*store, true);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->manifest.generation, 2u);
  EXPECT_THAT(installation_.Verify(2).problems, IsEmpty());
  EXPECT_EQ(*installation_.Backups()->Purge(1), 0u);
  const auto files_after = Contents(installation_.In("backups/files"));
  for (const auto& [name, content] : files_before) EXPECT_TRUE(files_after.contains(name)) << name;
}

// The one byte is all that keeps a program from seeing that the log went another way.
TEST_F(BackupDamageTest, ADamagedNewestGenerationIsNotPassedOverForOneThatTheLogContinues) {
  AppendCommits(*installation_.Open(), 401, 450);
  const Position longest = installation_.Back(*installation_.Open()).manifest.head;
  const std::string newest = installation_.In("backups/generations/2.json");
  FlipByteOf(newest, 10);
  ASSERT_TRUE(installation_.Restore("older", {.generation = 1}).ok());
  const auto store = installation_.Open(installation_.In("older"));
  AppendCommits(*store, 1401, 1500);
  const absl::Status refused = Back(*store).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the manifest of generation 2 is damaged"));
  EXPECT_FALSE(fs::exists(installation_.In("backups/generations/3.json")));

  ASSERT_TRUE(Back(*store, true).ok());
  AppendCommits(*store, 1501, 1501);
  ASSERT_TRUE(Back(*store).ok()) << "it continues the newest, which can be read";
  EXPECT_EQ(*installation_.Backups()->Purge(1), 2u) << "1, which 3 continues, and 3";
  FlipByteOf(newest, 10);
  EXPECT_EQ(installation_.Restore("left", {.generation = 2})->head, longest);
}

// Nobody knows whether the log continues it; another attempt, or program, will.
TEST_F(BackupDamageTest, AManifestThatCannotBeReadNowOrByThisProgramEndsTheBackup) {
  const std::string path = installation_.In("backups/generations/2.json");
  const auto store = installation_.Open();
  fs::create_directory(path);
  for (const bool diverged : {false, true}) {
    const absl::Status unreadable = Back(*store, diverged).status();
    EXPECT_EQ(unreadable.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(unreadable.message()), HasSubstr("generation 2: "));
  }
  fs::remove(path);
  std::ofstream(path) << "{\"format\": 3}";
  for (const bool diverged : {false, true}) {
    const absl::Status later = Back(*store, diverged).status();
    EXPECT_EQ(later.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(later.message()), HasSubstr("generation 2: the manifest has format 3"));
  }
  fs::remove(path);
  EXPECT_EQ(installation_.Back(*store).manifest.generation, 2u);
}

// The pool is trusted for what it holds; the trial restore is what finds out.
TEST_F(BackupDamageTest, ADamagedTableIsFoundInLaterGenerationsThatShareIt) {
  for (const BackupFile& file : manifest_.files) {
    if (file.pool.starts_with("table-")) FlipByteOf(PoolPath(file), file.bytes / 3);
  }
  const auto store = installation_.Open();
  const CreatedBackup second = installation_.Back(*store);
  EXPECT_THAT(installation_.Verify(second.manifest.generation).problems, Not(IsEmpty()));
}

// Each file is sound, but they are not what the manifest says.
TEST_F(BackupDamageTest, AManifestThatSaysSomethingElseThanItsFilesIsFound) {
  const auto tell = [&](auto change) {
    BackupManifest other = manifest_;
    change(other);
    EXPECT_TRUE(installation_.Backups()->Add(other).ok());
  };
  tell([](BackupManifest& manifest) { manifest.head = manifest.head.Next(); });
  ExpectFound("the log ends at");
  tell([](BackupManifest& manifest) { manifest.store_id[0] ^= 1; });
  ExpectFound("the log is of the store");
  tell([](BackupManifest& manifest) { manifest.head_recorded_at += absl::Seconds(1); });
  ExpectFound("was recorded at");
  tell([](BackupManifest& manifest) { manifest.key_files += 1; });
  ExpectFound("key files are missing");
}

// What was signed is of the log, or the backup is not sound.
TEST_F(BackupDamageTest, DamagedOrForeignCheckpointsAreFound) {
  const auto key = *transparency::SigningKey::Generate("test.example/log");
  const auto store = installation_.Open();
  const transparency::TreeHead head = *store->CurrentTree();
  uint64_t generation = 1;
  const auto problems = [&](const std::string& content) {
    std::ofstream(installation_.In("data/checkpoints"), std::ios::binary) << content;
    EXPECT_EQ(installation_.Back(*store).manifest.generation, ++generation);
    return installation_.Verify(generation).problems;
  };
  const auto line = [&](const transparency::TreeHead& of) {
    return transparency::CheckpointLine({of.size, transparency::SignCheckpoint(of, key), absl::UnixEpoch()},
                                        transparency::LineSum::kOfNone);
  };
  const std::string whole = line(head);
  EXPECT_THAT(problems(whole), IsEmpty());
  EXPECT_THAT(problems(whole + whole.substr(0, 20)), IsEmpty()) << "the next one was being written";
  std::string damaged = whole;
  damaged[whole.size() / 2] ^= 1;
  EXPECT_THAT(problems(damaged), Contains(HasSubstr("checkpoints, line 1: ")));
  transparency::TreeHead other = head;
  other.size -= 1;
  EXPECT_THAT(problems(line(other)), Contains(HasSubstr("has another root")));
  other.size = head.size + 1;
  EXPECT_THAT(problems(line(other)), Contains(HasSubstr("the log ends at")));
}

TEST_F(BackupDamageTest, ANoteOfAVerificationThatIsDamagedIsNone) {
  const std::string path = installation_.In("backups/generations/1.verified");
  const auto verified = [&] {
    return (*BackupDirectory::Peek(installation_.In("backups")))[0].verified_at.has_value();
  };
  ASSERT_TRUE(verified());
  for (size_t at = 0; at < fs::file_size(path); ++at) {
    FlipByteOf(path, at);
    EXPECT_FALSE(verified()) << at;
    FlipByteOf(path, at);
  }
  fs::copy_file(path, installation_.In("backups/generations/2.verified"));
  installation_.Back(*installation_.Open());
  EXPECT_FALSE((*BackupDirectory::Peek(installation_.In("backups")))[1].verified_at.has_value())
      << "it is of another generation";
}

TEST_F(BackupDamageTest, ANoteOfAVerificationIsOfOneManifest) {
  BackupManifest other = manifest_;
  other.tool += ", another";
  std::ofstream(installation_.In("backups/generations/1.json"), std::ios::binary | std::ios::trunc)
      << RenderManifest(other);
  const BackupGeneration listed = BackupDirectory::Peek(installation_.In("backups"))->front();
  ASSERT_TRUE(listed.manifest.ok()) << listed.manifest.status();
  EXPECT_FALSE(listed.verified_at.has_value());
}

TEST(ManifestTest, APathThatLeadsOutOfTheDirectoryIsDamage) {
  for (const char* path : {"../log/x", "log/../x", "log/", "log/.x", "views/x", "/log/x", "log/a/b"}) {
    BackupManifest manifest;
    manifest.files = {{path, "content-1", 1, "00"}};
    EXPECT_EQ(ParseManifest(RenderManifest(manifest)).status().code(), StatusCode::kDataLoss) << path;
    manifest.files = {{"log/x", path, 1, "00"}};
    EXPECT_EQ(ParseManifest(RenderManifest(manifest)).status().code(), StatusCode::kDataLoss) << path;
  }
}

TEST(ManifestTest, WhatIsRenderedIsParsed) {
  BackupManifest manifest;
  manifest.generation = 12;
  manifest.store_id = "0123";
  manifest.head = Position(99);
  manifest.head_recorded_at = absl::FromUnixMicros(1'700'000'000'123'456);
  manifest.made_at = absl::FromUnixMicros(1'700'000'001'000'000);
  manifest.files = {{"log/000012.sst", "table-00", 123, "ab"}, {"keys", "content-1", 5, "cd"}};
  const auto parsed = ParseManifest(RenderManifest(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(RenderManifest(*parsed), RenderManifest(manifest));
  EXPECT_EQ(parsed->head_recorded_at, manifest.head_recorded_at);
  for (const char* text : {"", "{}", "[]", "null", "{\"format\": 1}", "{\"files\": 3, \"head\": []}"})
    EXPECT_EQ(ParseManifest(text).status().code(), StatusCode::kDataLoss) << text;
  EXPECT_EQ(ParseManifest("{\"format\": 3}").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(RenderManifest(manifest), HasSubstr("\"format\": 1,")) << "older programs read it";
  manifest.keys_elsewhere = true;
  EXPECT_THAT(RenderManifest(manifest), HasSubstr("\"format\": 2,"));
  EXPECT_TRUE(ParseManifest(RenderManifest(manifest))->keys_elsewhere);
}

}  // namespace
}  // namespace qinglan::eventstore
