// Thousands of clients that connect to the real server and leave it in every way that there is, some of them
// in the midst of an append and a subscription: it goes on answering meanwhile, and afterwards it has given
// back what they cost, files, threads and memory.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "services/eventstore/client/remote_event_store.h"
#include "tests/e2e/processes.h"
#include "tests/fault/connections/client_socket.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/ledger.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::RemoteEventStore;

constexpr int64_t kClientsInCi = 400;
constexpr int64_t kWavesInCi = 3;
constexpr int64_t kSocketsPerCaller = 50;  // so many sockets to one client that makes calls
constexpr int64_t kCallersMax = 64;
constexpr rlim_t kOtherFiles = 500;
constexpr absl::Duration kPatience = absl::Seconds(120);
constexpr absl::Duration kStartMax = absl::Seconds(60);
constexpr long long kThreadsMayGrow = 16;
constexpr long long kFilesMayGrow = 16;  // of the store's own
constexpr long long kMemoryMayGrowKib = 24 * 1024;

struct Footprint {
  long long files = 0;
  long long threads = 0;
  long long memory_kib = 0;
};

Footprint FootprintOf(pid_t pid) {
  Footprint footprint;
  std::error_code ignored;
  for (std::filesystem::directory_iterator fd(fmt::format("/proc/{}/fd", pid), ignored), end; fd != end;
       fd.increment(ignored))
    ++footprint.files;
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) footprint.threads = std::stoll(line.substr(8));
    if (line.starts_with("VmRSS:")) footprint.memory_kib = std::stoll(line.substr(6));
  }
  return footprint;
}

// Lets this process have `files` open; false when the system does not.
bool AllowFiles(rlim_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < files) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, files);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ConnectionsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto run = [&](std::vector<std::string> arguments) {
      EXPECT_EQ(e2e::Process(arguments, folder_.path() + "/run.out").Wait(), 0) << arguments[0];
    };
    run({"token", "--new-keys=" + folder_.path() + "/keys"});
    run({"token", "--key=" + folder_.path() + "/keys/private.pem", "--user=writer", "--role=operator",
         "--out=" + folder_.path() + "/token"});
    token_ = Content(folder_.path() + "/token");
    while (!token_.empty() && token_.back() == '\n') token_.pop_back();
    const std::string port_file = folder_.path() + "/port";
    server_ = std::make_unique<e2e::Process>(
        std::vector<std::string>{"serve", "--roles=eventstore", "--data=" + folder_.path() + "/data",
                                 "--port=0", "--keys=" + folder_.path() + "/keys/jwks.json",
                                 "--port-file=" + port_file},
        folder_.path() + "/serve.out");
    for (const absl::Time end = absl::Now() + kStartMax;
         absl::Now() < end && server_->Running() && Content(port_file).empty();)
      absl::SleepFor(absl::Milliseconds(20));
    ASSERT_FALSE(Content(port_file).empty()) << server_->Output();
    port_ = std::stoi(Content(port_file));
  }

  std::unique_ptr<RemoteEventStore> Connect() const {
    auto store = RemoteEventStore::Connect({.target = fmt::format("127.0.0.1:{}", port_),
                                            .token = [this] { return token_; },
                                            .timeout = kPatience});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Appends and reads back, by a client that has nothing to do with the others.
  void ExpectAnswers(RemoteEventStore& store) {
    const std::string id = CommitId("asked", 0, ++asked_);
    if (IsCounter(id)) return ExpectAnswers(store);
    ledger_.Asked(id);
    const absl::Time begin = absl::Now();
    const auto appended = store.AppendAndWait(PlainRequest(id));
    ledger_.Answered(id, appended);
    ASSERT_TRUE(appended.ok()) << appended.status();
    slowest_answer_ = std::max(slowest_answer_, absl::Now() - begin);
    const auto found = store.FindCommit(id);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->appended.first, appended->first);
  }

  // Clients that make calls, and go with some of them under way.
  void CallAndGo(int64_t wave, int64_t callers) {
    for (int64_t i = 0; i < callers; ++i) {
      const auto store = Connect();
      ASSERT_NE(store, nullptr);
      auto subscription = store->Subscribe(Query::All(), Position(0));
      ASSERT_TRUE(subscription.ok()) << subscription.status();
      const auto progress =
          (*subscription)->Next(10, absl::Seconds(1), [](const EventView&) { return true; });
      EXPECT_TRUE(progress.ok()) << progress.status();
      for (uint64_t n = 1; n <= 8; ++n) {
        const std::string id = CommitId(fmt::format("wave{}-caller{}", wave, i), 0, n);
        if (IsCounter(id)) continue;
        ledger_.Asked(id);
        store->Append(PlainRequest(id), [this, id](const auto& answer) { ledger_.Answered(id, answer); });
      }
    }
  }

  // All there at once, and gone at once.
  void Wave(int64_t wave, int64_t clients, RemoteEventStore& witness) {
    std::vector<ClientSocket> sockets;
    std::vector<size_t> greeted;
    for (int64_t i = 0; i < clients; ++i) {
      const Leaving leaving = kLeavings[random_() % std::size(kLeavings)];
      sockets.emplace_back(port_, static_cast<uint32_t>(i), leaving);
      ASSERT_TRUE(sockets.back().connected()) << "socket " << i;
      if (IsGreeted(leaving)) greeted.push_back(sockets.size() - 1);
      if (i % 1000 == 0) ExpectAnswers(witness);
    }
    for (const size_t i : greeted) greetings_ += sockets[i].AwaitGreeting(kPatience) ? 1 : 0;
    expected_greetings_ += static_cast<int64_t>(greeted.size());
    const Footprint now = FootprintOf(server_->pid());
    most_.files = std::max(most_.files, now.files);
    most_.memory_kib = std::max(most_.memory_kib, now.memory_kib);
    ExpectAnswers(witness);
    std::shuffle(sockets.begin(), sockets.end(), random_);
    for (ClientSocket& socket : sockets) socket.Leave();
    CallAndGo(wave, std::min(kCallersMax, 1 + clients / kSocketsPerCaller));
    ExpectAnswers(witness);
  }

  // What it is down to when it has had time to give back what nobody uses any more.
  Footprint AwaitCalm(long long most_files, long long most_memory_kib) const {
    Footprint now = FootprintOf(server_->pid());
    for (const absl::Time end = absl::Now() + kPatience;
         (now.files > most_files || now.memory_kib > most_memory_kib) && absl::Now() < end;) {
      absl::SleepFor(absl::Milliseconds(50));
      now = FootprintOf(server_->pid());
    }
    return now;
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_{seed_};
  const ScratchFolder folder_;
  std::string token_;
  std::unique_ptr<e2e::Process> server_;
  int port_ = 0;
  Ledger ledger_;
  uint64_t asked_ = 0;
  absl::Duration slowest_answer_;
  int64_t greetings_ = 0;
  int64_t expected_greetings_ = 0;
  Footprint most_;
};

TEST_F(ConnectionsTest, ConnectionsThatAreDroppedCostNothingAfterwards) {
  Evidence evidence("connections");
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  const int64_t clients = Amount("QINGLAN_FAULT_CLIENTS", kClientsInCi);
  ASSERT_TRUE(AllowFiles(static_cast<rlim_t>(clients) + kOtherFiles))
      << "the hard limit of open files is too low: ulimit -Hn " << clients + 500;
  const auto witness = Connect();
  ASSERT_NE(witness, nullptr);
  ExpectAnswers(*witness);
  const Footprint before = FootprintOf(server_->pid());
  std::vector<Footprint> after;
  const int64_t waves = Amount("QINGLAN_FAULT_WAVES", kWavesInCi);
  for (int64_t wave = 0; wave < waves && !HasFailure(); ++wave) {
    SCOPED_TRACE(fmt::format("wave {}", wave));
    Wave(wave, clients, *witness);
    const long long burst_kib = most_.memory_kib - before.memory_kib;
    after.push_back(
        AwaitCalm(before.files + kFilesMayGrow, before.memory_kib + burst_kib / 2 + kMemoryMayGrowKib));
  }
  ASSERT_FALSE(HasFailure());
  EXPECT_EQ(greetings_, expected_greetings_) << "every client that spoke HTTP/2 was greeted";
  EXPECT_GT(most_.files, clients / 2) << "they were there at the same time";
  EXPECT_LE(after.back().files, before.files + kFilesMayGrow);
  EXPECT_LE(after.back().threads, before.threads + kThreadsMayGrow);
  // Half of what they took at most may stay with the allocator, in pieces; but no wave adds to it.
  EXPECT_LE(after.back().memory_kib,
            before.memory_kib + (most_.memory_kib - before.memory_kib) / 2 + kMemoryMayGrowKib);
  EXPECT_LE(after.back().memory_kib, after[after.size() - 2].memory_kib + kMemoryMayGrowKib);
  const auto fresh = Connect();
  ASSERT_NE(fresh, nullptr);
  ExpectAnswers(*fresh);
  const Findings findings = ledger_.Check(*fresh);
  evidence.Add(findings);
  for (const std::string& wrong : findings.wrongs) ADD_FAILURE() << wrong;

  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  EXPECT_EQ(e2e::Process({"fsck", "--data=" + folder_.path() + "/data"}, folder_.path() + "/fsck.out").Wait(),
            0)
      << Content(folder_.path() + "/fsck.out");
  evidence.Set("connections", clients * waves);
  evidence.Set("at_the_same_time", clients);
  evidence.Set("acknowledged_commits", findings.acknowledged);
  evidence.Set("slowest_append_ms", absl::ToInt64Milliseconds(slowest_answer_));
  evidence.Set("files_before", before.files);
  evidence.Set("files_at_most", most_.files);
  evidence.Set("files_after", after.back().files);
  evidence.Set("threads_before", before.threads);
  evidence.Set("threads_after", after.back().threads);
  evidence.Set("memory_kib_before", before.memory_kib);
  evidence.Set("memory_kib_at_most", most_.memory_kib);
  for (size_t wave = 0; wave < after.size(); ++wave)
    evidence.Set(fmt::format("memory_kib_after_wave_{}", wave + 1), after[wave].memory_kib);
  evidence.Set("seed", seed_);
}

}  // namespace
}  // namespace qinglan::fault
