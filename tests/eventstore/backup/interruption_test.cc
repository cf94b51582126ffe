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
#include <functional>
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

pid_t Start(const char* part, const std::string& folder) {
  const pid_t child = fork();
  if (child != 0) return child;
  setenv(kPartVariable, part, 1);
  setenv(kFolderVariable, folder.c_str(), 1);
  execl("/proc/self/exe", "backup", "--gtest_filter=BackupInterruptionChild.DISABLED_Part",
        "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
  std::_Exit(1);
}

int End(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the child failed";
  return status;
}

// Starts the part and kills it after `life`. True when it had not ended by then.
bool RunAndKill(const char* part, const std::string& folder, absl::Duration life) {
  const pid_t child = Start(part, folder);
  absl::SleepFor(life);
  kill(child, SIGKILL);
  return WIFSIGNALED(End(child));
}

// How long the part takes when it is left alone, its start included.
absl::Duration WholeLife(const char* part, const std::string& folder) {
  const absl::Time start = absl::Now();
  EXPECT_FALSE(WIFSIGNALED(End(Start(part, folder))));
  return absl::Now() - start;
}

class BackupInterruptionTest : public testing::Test {
 protected:
  void SetUp() override {
    AppendCommits(*installation_.Open(), 1, 3000);
    installation_.MakeKeys(300);
  }
  // Kills the part at random instants of the time that it takes here, until kRounds kills have met it; calls
  // `before` and `after` each time.
  void KillOften(const char* part, const std::function<void()>& before, const std::function<void()>& after) {
    const std::string folder = fs::path(installation_.In("x")).parent_path();
    before();
    const absl::Duration whole = WholeLife(part, folder);
    after();
    int met = 0;
    for (int round = 0; met < kRounds && round < 10 * kRounds; ++round) {
      before();
      met += RunAndKill(part, folder, whole * std::uniform_real_distribution<double>(0, 1)(random_)) ? 1 : 0;
      ASSERT_NO_FATAL_FAILURE(after());
    }
    EXPECT_EQ(met, kRounds) << "too few kills met it: make it longer";
  }

  const Installation installation_;
  std::mt19937 random_{std::random_device()()};
};

TEST_F(BackupInterruptionTest, AKilledBackupLeavesTheGenerationsThatThereWere) {
  installation_.Back(*installation_.Open());
  uint64_t last = 3000;
  const auto append = [&] {
    AppendCommits(*installation_.Open(), last + 1, last + 200);
    last += 200;
  };
  const auto expect_whole = [&](const BackupGeneration& generation) {
    EXPECT_THAT(installation_.Verify(generation.number).problems, IsEmpty()) << generation.number;
  };
  KillOften("backup", append, [&] {
    const auto generations = BackupDirectory::Peek(installation_.In("backups"));
    ASSERT_TRUE(generations.ok());
    expect_whole(generations->back());
  });
  installation_.Back(*installation_.Open());
  const auto generations = BackupDirectory::Peek(installation_.In("backups"));
  ASSERT_TRUE(generations.ok());
  for (const BackupGeneration& generation : *generations) expect_whole(generation);
  EXPECT_FALSE(fs::exists(installation_.In("data/log.backup")));
  for (const auto& [name, content] : Contents(installation_.In("backups/files")))
    EXPECT_TRUE(name.find("partial") == name.npos) << name;
}

TEST_F(BackupInterruptionTest, AKilledRestoreIsNeverMistakenForAWholeOne) {
  const std::string whole = Dump(*installation_.Open());
  installation_.Back(*installation_.Open());
  KillOften(
      "restore", [] {},
      [&] {
        if (!fs::exists(installation_.In("restored"))) return;
        EXPECT_EQ(Dump(*installation_.Open(installation_.In("restored"))), whole);
        fs::remove_all(installation_.In("restored"));
      });
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
