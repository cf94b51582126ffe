// What ours is compared with, each measured as `qinglan bench append` is and telling the same figures:
//   baseline raw --layout=log|tags|indexed    RocksDB in this process, every batch synced
//   baseline naive                            the naive way, its server a process of its own
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "services/qinglan/bench/measure/measure.h"
#include "services/qinglan/bench/measure/report.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/workload/workload.h"
#include "tests/bench/baseline/layout.h"
#include "tests/bench/baseline/naive_client.h"
#include "tests/bench/baseline/naive_store.h"

extern char** environ;

namespace qinglan::baseline {
namespace {

using bench::Figures;
using bench::Measured;
using bench::Meter;

struct Options {
  std::string data;
  Layout layout = Layout::kLog;
  int clients = 1;
  double seconds = 10;
  double warm_up_seconds = 1;
  int events_per_commit = 1;
};

bench::Plan PlanOf(const Options& options, int threads, pid_t server) {
  return {threads, absl::Seconds(options.warm_up_seconds), absl::Seconds(options.seconds), server};
}

int Tell(const char* name, const Options& options, const absl::StatusOr<Measured>& measured) {
  if (!measured.ok()) return Fail("baseline", measured.status());
  Figures figures;
  figures["bench"] = name;
  figures["clients"] = options.clients;
  figures["events_per_commit"] = options.events_per_commit;
  bench::Add(figures, *measured, "commits");
  bench::Print(figures, Output::kJson);
  return kExitOk;
}

int RunRaw(const Options& options, const char* name) {
  const bench::Workload workload({});
  const std::unique_ptr<rocksdb::DB> db = OpenDatabase(options.data);
  std::atomic<uint64_t> next = 0;
  const auto events = static_cast<uint64_t>(options.events_per_commit);
  return Tell(name, options, Measure(PlanOf(options, options.clients, 0), [&](int, Meter& meter) {
                while (meter.Going()) {
                  const uint64_t first = next.fetch_add(events);
                  const auto commit = workload.Commit(0, first, options.events_per_commit, std::nullopt);
                  const absl::Duration began = bench::Now();
                  rocksdb::WriteBatch batch;
                  AddTo(batch, options.layout, commit, first + 1);
                  WriteSynced(*db, batch);
                  meter.Operation(began, events);
                }
              }));
}

// The naive store as a process of its own; ends with this object.
class NaiveServer {
 public:
  explicit NaiveServer(const std::string& directory) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<std::string> words = {"baseline", "serve-naive", "--data=" + directory};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, argv.data(), environ) != 0)
      process_ = 0;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    keep_alive_ = in[1];
    std::array<char, 16> line{};
    if (::read(out[0], line.data(), line.size() - 1) > 0) port_ = std::atoi(line.data());
    ::close(out[0]);
  }
  ~NaiveServer() {
    ::close(keep_alive_);
    if (process_ != 0) ::waitpid(process_, nullptr, 0);
  }
  NaiveServer(const NaiveServer&) = delete;
  NaiveServer& operator=(const NaiveServer&) = delete;

  pid_t process() const { return process_; }
  int port() const { return port_; }  // 0 when it does not serve

 private:
  pid_t process_ = 0;
  int keep_alive_ = -1;
  int port_ = 0;
};

int RunNaive(const Options& options) {
  const NaiveServer server(options.data);
  if (server.port() == 0) return Fail("baseline", absl::UnavailableError("the naive store did not start"));
  const bench::Workload workload({});
  const NaiveLoad load{fmt::format("127.0.0.1:{}", server.port()), options.clients,
                       options.events_per_commit};
  return Tell("naive", options, Measure(PlanOf(options, 1, server.process()), [&](int, Meter& meter) {
                AppendToNaive(load, workload, meter);
              }));
}

CLI::App* Command(CLI::App& app, const char* name, const char* what, Options& options) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("--data", options.data, "a new directory")->required();
  command->add_option("--clients", options.clients)->check(CLI::Range(1, 4096));
  command->add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  command->add_option("--warm-up", options.warm_up_seconds)->check(CLI::NonNegativeNumber);
  command->add_option("--events-per-commit", options.events_per_commit)->check(CLI::Range(1, 1000));
  return command;
}

}  // namespace
}  // namespace qinglan::baseline

int main(int argc, char** argv) {
  using namespace qinglan::baseline;  // main() cannot stand in it
  CLI::App app{"What the event store is compared with", "baseline"};
  app.require_subcommand(1);
  Options options;
  std::string layout = "log";
  const std::map<std::string, Layout> layouts = {
      {"log", Layout::kLog}, {"tags", Layout::kTags}, {"indexed", Layout::kIndexed}};
  CLI::App* raw = Command(app, "raw", "RocksDB alone", options);
  raw->add_option("--layout", layout)->check(CLI::IsMember(layouts));
  CLI::App* naive = Command(app, "naive", "the naive way, over gRPC", options);
  Command(app, "serve-naive", "", options)->group("");
  CLI11_PARSE(app, argc, argv);
  if (!app.got_subcommand(raw))
    return app.got_subcommand(naive) ? RunNaive(options) : ServeNaive(options.data);
  options.layout = layouts.at(layout);
  return RunRaw(options, ("raw/" + layout).c_str());
}
