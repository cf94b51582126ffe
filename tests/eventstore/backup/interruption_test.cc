// Killed in the midst, or out of room: what counts is whole, and the next attempt succeeds.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::IsEmpty;

constexpr int kRounds = 8;
constexpr char kPartVariable[] = "QINGLAN_BACKUP_PART";
constexpr char kFolderVariable[] = "QINGLAN_BACKUP_FOLDER";

// The child's part: backs up, or restores, what the parent made. A test, so that this program can be started
// anew for it: a process with RocksDB's threads cannot be forked. Slow, so that a kill meets it.
TEST(BackupInterruptionChild, DISABLED_Part) {
  const std::string folder = std::getenv(kFolderVariable);
  const auto slowly = [](std::string_view, uint64_t, uint64_t) {
    absl::SleepFor(absl::Milliseconds(2));
    return true;
  };
  if (std::string(std::getenv(kPartVariable)) == "restore") {
    const auto backups = BackupDirectory::OpenExisting(folder + "/backups", false);
    ASSERT_TRUE(backups.ok()) << backups.status();
    const auto restored = RestoreBackup(**backups, {folder + "/restored"}, slowly);
    ASSERT_TRUE(restored.ok()) << restored.status();
    return;
  }
  const auto store = RocksEventStore::Open({.directory = folder + "/data/log", .small_buffers = true});
  ASSERT_TRUE(store.ok()) << store.status();
  const auto backups = BackupDirectory::OpenForWriting(folder + "/backups");
  ASSERT_TRUE(backups.ok()) << backups.status();
  const auto created = CreateBackup(**store, **backups, {.keys_directory = folder + "/data/keys"}, slowly);
  ASSERT_TRUE(created.ok()) << created.status();
}

// Starts the part and kills it after `life`. True when it had not ended by then.
bool RunAndKill(const char* part, const std::string& folder, absl::Duration life) {
  const pid_t child = fork();
  if (child == 0) {
    setenv(kPartVariable, part, 1);
    setenv(kFolderVariable, folder.c_str(), 1);
    execl("/proc/self/exe", "backup", "--gtest_filter=BackupInterruptionChild.DISABLED_Part",
          "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    std::_Exit(1);
  }
  absl::SleepFor(life);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the child failed";
  return WIFSIGNALED(status);
}

class BackupInterruptionTest : public testing::Test {
 protected:
  void SetUp() override {
    AppendCommits(*installation_.Open(), 1, 3000);
    installation_.WriteKey("keys-0e", std::string(100'000, 'k'));
  }
  absl::Duration RandomLife() {
    return absl::Milliseconds(std::uniform_int_distribution<int>(20, 400)(random_));
  }

  const Installation installation_;
  std::mt19937 random_{std::random_device()()};
};

TEST_F(BackupInterruptionTest, AKilledBackupLeavesTheGenerationsThatThereWere) {
  const std::string folder = fs::path(installation_.In("x")).parent_path();
  installation_.Back(*installation_.Open());
  int met = 0;
  for (int round = 0; round < kRounds; ++round) {
    AppendCommits(*installation_.Open(), 3001 + round * 200, 3200 + round * 200);
    met += RunAndKill("backup", folder, RandomLife()) ? 1 : 0;
    const auto generations = BackupDirectory::Peek(installation_.In("backups"));
    ASSERT_TRUE(generations.ok());
    for (const BackupGeneration& generation : *generations)
      EXPECT_THAT(installation_.Verify(generation.number).problems, IsEmpty()) << generation.number;
  }
  EXPECT_GT(met, 0) << "no kill met a backup: make it longer";
  const uint64_t last = installation_.Back(*installation_.Open()).manifest.generation;
  EXPECT_THAT(installation_.Verify(last).problems, IsEmpty());
  EXPECT_FALSE(fs::exists(installation_.In("data/log.backup")));
  for (const auto& [name, content] : Contents(installation_.In("backups/files")))
    EXPECT_TRUE(name.find("partial") == name.npos) << name;
}

TEST_F(BackupInterruptionTest, AKilledRestoreIsNeverMistakenForAWholeOne) {
  const std::string folder = fs::path(installation_.In("x")).parent_path();
  const std::string whole = Dump(*installation_.Open());
  installation_.Back(*installation_.Open());
  int met = 0;
  for (int round = 0; round < kRounds; ++round) {
    met += RunAndKill("restore", folder, RandomLife()) ? 1 : 0;
    if (!fs::exists(installation_.In("restored"))) continue;
    EXPECT_EQ(Dump(*installation_.Open(installation_.In("restored"))), whole);
    fs::remove_all(installation_.In("restored"));
  }
  EXPECT_GT(met, 0) << "no kill met a restore: make it longer";
  ASSERT_TRUE(installation_.Restore("restored").ok());
  EXPECT_EQ(Dump(*installation_.Open(installation_.In("restored"))), whole);
  EXPECT_FALSE(fs::exists(installation_.In("restored.partial")));
}

// Runs `work` on a thread that sees a file system of `bytes` at `directory`; false when this machine does not
// let us make one.
bool OnASmallDisk(const std::string& directory, size_t bytes, const std::function<void()>& work) {
  bool made = false;
  std::thread([&] {
    if (unshare(CLONE_NEWNS | CLONE_FS) != 0) return;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    const std::string size = fmt::format("size={}", bytes);
    made = mount("tmpfs", directory.c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (made) work();
  }).join();
  return made;
}

TEST_F(BackupInterruptionTest, AFullDiskOfTheTargetIsSaidAndHarmsNothing) {
  const auto store = installation_.Open();
  fs::create_directory(installation_.In("small"));
  const auto back = [&](size_t bytes) {
    absl::StatusOr<CreatedBackup> created = absl::UnknownError("not tried");
    const bool made = OnASmallDisk(installation_.In("small"), bytes, [&] {
      const auto backups = BackupDirectory::OpenForWriting(installation_.In("small/backups"));
      ASSERT_TRUE(backups.ok()) << backups.status();
      created = CreateBackup(*store, **backups, {}, NoteNothing);
      EXPECT_TRUE(created.ok() || Contents(installation_.In("small/backups/files")).empty());
    });
    EXPECT_TRUE(made) << "this test needs the right to mount a tmpfs";
    return created.status();
  };
  EXPECT_EQ(back(200 * 1024).code(), StatusCode::kResourceExhausted);
  AppendCommits(*store, 3001, 3010);  // the server goes on
  EXPECT_TRUE(back(64 * 1024 * 1024).ok());
}

TEST_F(BackupInterruptionTest, ARestoreToAFullDiskLeavesNoDataDirectory) {
  installation_.Back(*installation_.Open());
  fs::create_directory(installation_.In("small"));
  absl::Status restored;
  const bool made = OnASmallDisk(installation_.In("small"), 200 * 1024, [&] {
    restored = installation_.Restore("small/restored").status();
    EXPECT_FALSE(fs::exists(installation_.In("small/restored")));
  });
  EXPECT_TRUE(made) << "this test needs the right to mount a tmpfs";
  EXPECT_EQ(restored.code(), StatusCode::kResourceExhausted) << restored;
}

}  // namespace
}  // namespace qinglan::eventstore
