// kill -9 at random instants: what was acknowledged is there exactly once, and the store is sound.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "tests/harness/scratch_store.h"

namespace qinglan::eventstore {
namespace {

constexpr int kRounds = 6;
constexpr int kWriters = 6;
constexpr char kDirectoryVariable[] = "QINGLAN_CRASH_DIRECTORY";
constexpr char kRoundVariable[] = "QINGLAN_CRASH_ROUND";

// The child's part: writes without end and says on standard output what was acknowledged. It is a test so
// that it can be run by starting this program anew, for a process with RocksDB's threads cannot be forked.
TEST(CrashTest, DISABLED_Writer) {
  const char* directory = std::getenv(kDirectoryVariable);
  ASSERT_NE(directory, nullptr);
  const std::string round = std::getenv(kRoundVariable);
  auto store = RocksEventStore::Open({.directory = directory, .small_buffers = true});
  ASSERT_TRUE(store.ok()) << store.status();
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0;; ++i) {
        const std::string id = fmt::format("{}-{}-{}", round, w, i);
        AppendRequest request = MakeRequest(id, {});
        for (int e = 0; e <= i % 4; ++e) {
          request.events.push_back(
              MakeEvent("type", {"all", "commit:" + id}, std::string(static_cast<size_t>(i) % 700, 'x')));
        }
        if (!(*store)->AppendAndWait(std::move(request)).ok()) std::abort();
        const std::string line = id + "\n";
        if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::abort();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
}

// Starts the writer, lets it live for `life`, kills it, and returns the commits that it said were
// acknowledged.
std::vector<std::string> KillAWriter(const std::string& directory, int round, absl::Duration life) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    setenv(kDirectoryVariable, directory.c_str(), 1);
    setenv(kRoundVariable, std::to_string(round).c_str(), 1);
    execl("/proc/self/exe", "crash", "--gtest_filter=CrashTest.DISABLED_Writer",
          "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    std::_Exit(1);
  }
  close(ends[1]);
  std::thread killer([&] {
    absl::SleepFor(life);
    kill(child, SIGKILL);
  });
  std::string said;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
    said.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  killer.join();
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer ended by itself: " << said;

  std::vector<std::string> ids;
  const std::string prefix = fmt::format("{}-", round);
  for (size_t begin = 0, end = 0; (end = said.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = said.substr(begin, end - begin);
    if (line.starts_with(prefix)) ids.push_back(line);  // not what the test framework prints
  }
  return ids;
}

TEST(CrashTest, AfterAKillEveryAcknowledgedCommitIsThereExactlyOnceAndWhole) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const ScratchDirectory directory;
  std::vector<std::string> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    const absl::Duration life = absl::Milliseconds(std::uniform_int_distribution<int>(50, 700)(random));
    for (std::string& id : KillAWriter(directory.path(), round, life)) acknowledged.push_back(std::move(id));

    const auto store = directory.Open();  // as a restart does
    const auto report = Fsck(*store, [](auto, auto, auto) {});
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_TRUE(report->clean()) << report->problems[0].what;
  }
  ASSERT_FALSE(acknowledged.empty());

  const auto store = directory.Open();
  std::map<std::string, uint32_t> stored;  // commit -> events seen
  const auto read = store->Read(Query{{{{}, {"all"}}}}, {}, [&](const EventView& event) {
    EXPECT_EQ(event.index_in_commit, stored[std::string(event.commit_id)]++);
    return true;
  });
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, *store->Head());
  for (const std::string& id : acknowledged) {
    const uint32_t i = static_cast<uint32_t>(std::stoul(id.substr(id.rfind('-') + 1)));
    ASSERT_EQ(stored[id], i % 4 + 1) << id;
  }
}

}  // namespace
}  // namespace qinglan::eventstore
