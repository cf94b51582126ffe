// kill -9 at random instants under load, also while the store is being made or opened: what was acknowledged
// is there exactly once, whole, and the store is sound.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/load/evidence.h"
#include "tests/fault/load/ledger.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::Appended;
using eventstore::Position;
using eventstore::RocksEventStore;

constexpr int64_t kRoundsInCi = 20;
constexpr int kRoundsOfOneLog = 20;  // then a new one begins, for checking costs what the log holds
constexpr int kWriters = 6;
constexpr int64_t kLifeMicrosMax = 400'000;              // of a writer
constexpr absl::Duration kStartMax = absl::Seconds(60);  // until its first acknowledgement

constexpr char kDirectoryVariable[] = "QINGLAN_FAULT_DIRECTORY";
constexpr char kRunVariable[] = "QINGLAN_FAULT_RUN";
constexpr char kSeedVariable[] = "QINGLAN_FAULT_SEED";

// Says everything on standard output, a line each in one write, so that a kill cuts between lines only.
class Teller final : public Witness {
 public:
  void Asked(const std::string& id) override { Say(fmt::format("? {}\n", id)); }
  void Answered(const std::string& id, const absl::StatusOr<Appended>& answer) override {
    if (answer.ok()) {
      Say(fmt::format("+ {} {} {}\n", id, answer->first.value, answer->last.value));
    } else if (!LeavesOpen(answer.status())) {
      Say(fmt::format("- {}\n", id));
    }
  }

 private:
  static void Say(const std::string& line) {
    if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  }
};

// The child's part. It is a test so that it can be run by starting this program anew, for a process with
// RocksDB's threads cannot be forked. Commits to be retried first come on standard input.
TEST(KillTest, DISABLED_Writer) {
  const char* directory = std::getenv(kDirectoryVariable);
  ASSERT_NE(directory, nullptr);
  WorkloadOptions options{std::getenv(kRunVariable), kWriters, Seed(), {}};
  std::string id;
  for (int byte = 0; (byte = std::getchar()) != EOF;) {
    if (byte == '\n') options.retry_first.push_back(std::exchange(id, {}));
    if (byte != '\n') id += static_cast<char>(byte);
  }
  auto store = RocksEventStore::Open(SmallStore(directory));
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    std::_Exit(1);
  }
  Teller teller;
  const Workload workload(**store, teller, options);
  while (true) pause();
}

class KilledWriter {
 public:
  KilledWriter(const std::string& directory, const std::string& run, uint32_t seed) {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
      setenv(kDirectoryVariable, directory.c_str(), 1);
      setenv(kRunVariable, run.c_str(), 1);
      setenv(kSeedVariable, std::to_string(seed).c_str(), 1);
      execl("/proc/self/exe", "kill", "--gtest_filter=KillTest.DISABLED_Writer",
            "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
      std::_Exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_child_ = in[1];
    from_child_ = out[0];
  }

  // Hands over what is to be retried, kills it when it has lived for `life` from its birth or from its first
  // acknowledgement on, and puts down what it said.
  void LiveAndDie(const std::vector<std::string>& retries, absl::Duration life, bool from_birth,
                  Ledger& ledger) {
    std::string text;
    for (const std::string& id : retries) text += id + "\n";
    (void)!write(to_child_, text.data(), text.size());
    close(to_child_);
    std::string said;
    const absl::Time begin = absl::Now();
    absl::Time end = begin + (from_birth ? life : kStartMax);
    char buffer[65536];
    while (true) {
      pollfd more{from_child_, POLLIN, 0};
      const absl::Duration left = end - absl::Now();
      if (left <= absl::ZeroDuration()) kill(child_, SIGKILL);
      (void)poll(&more, 1, static_cast<int>(std::max<int64_t>(1, absl::ToInt64Milliseconds(left))));
      if (more.revents == 0) continue;
      const ssize_t got = read(from_child_, buffer, sizeof(buffer));
      if (got <= 0) break;
      said.append(buffer, static_cast<size_t>(got));
      if (!from_birth && said.find("\n+ ") != std::string::npos && end == begin + kStartMax)
        end = absl::Now() + life;
    }
    close(from_child_);
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the writer ended by itself, " << status;
    PutDown(said, ledger);
  }

 private:
  static void PutDown(const std::string& said, Ledger& ledger) {
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string kind;
      std::string id;
      uint64_t first = 0;
      uint64_t last = 0;
      words >> kind >> id >> first >> last;
      if (kind == "?") ledger.Asked(id);
      if (kind == "-") ledger.Refused(id);
      if (kind == "+") ledger.Acknowledged(id, Position(first), Position(last));
    }  // the rest is what the test framework prints
  }

  pid_t child_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};

TEST(KillTest, AfterAKillEveryAcknowledgedCommitIsThereExactlyOnceAndWhole) {
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const int64_t rounds = Amount("QINGLAN_FAULT_KILL_ROUNDS", kRoundsInCi);
  Evidence evidence("kill");
  const ScratchFolder folder;
  uint64_t acknowledged = 0;
  uint64_t events = 0;
  uint64_t stored_unsaid = 0;
  uint64_t killed_before_the_first = 0;
  auto ledger = std::make_unique<Ledger>();
  for (int64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    if (round % kRoundsOfOneLog == 0) {
      folder.Clear();
      ledger = std::make_unique<Ledger>();
    }
    const absl::Duration life =
        absl::Microseconds(std::uniform_int_distribution<int64_t>(0, kLifeMicrosMax)(random));
    const uint64_t before = ledger->acknowledged();
    KilledWriter(folder.log(), fmt::format("r{}", round), random())
        .LiveAndDie(ledger->Unknown(), life, random() % 5 == 0, *ledger);
    acknowledged += ledger->acknowledged() - before;
    killed_before_the_first += ledger->acknowledged() == before ? 1 : 0;

    const auto store = RocksEventStore::Open(SmallStore(folder.log()));  // as a restart does
    ASSERT_TRUE(store.ok()) << store.status();
    const Findings findings = ExpectSound(**store, *ledger);
    evidence.Add(findings);
    stored_unsaid += findings.unknown_stored;
    if (round % kRoundsOfOneLog == kRoundsOfOneLog - 1 || round == rounds - 1) events += findings.events;
  }
  EXPECT_GT(acknowledged, static_cast<uint64_t>(rounds)) << "hardly anything was written";
  evidence.Set("rounds", rounds);
  evidence.Set("seed", seed);
  evidence.Set("acknowledged_commits", acknowledged);
  evidence.Set("events", events);
  evidence.Set("stored_but_not_yet_answered", stored_unsaid);
  evidence.Set("killed_before_any_answer", killed_before_the_first);
}

}  // namespace
}  // namespace qinglan::fault
