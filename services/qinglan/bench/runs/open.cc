#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "eventstore/check.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/workload/target.h"

extern char** environ;

namespace qinglan::bench {
namespace {

constexpr size_t kLineBytes = 256;

struct Opened {
  absl::Duration first_answer;  // from just before the process was made
  uint64_t peak_memory_bytes = 0;
  uint64_t log_events = 0;
};

// Runs this program again as `bench open --in-this-process` and reads what it prints.
absl::StatusOr<Opened> SpawnAndTime(const BenchOptions& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return absl::UnavailableError("no pipe for the process to answer through");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<std::string> arguments = {"qinglan", "bench", "open", "--in-this-process",
                                        "--data=" + options.data};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const absl::Duration began = Now();
  pid_t process = 0;
  const int spawned = ::posix_spawn(&process, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::array<char, kLineBytes> line{};
  ssize_t bytes = 0;
  if (spawned == 0) bytes = ::read(ends[0], line.data(), line.size() - 1);
  ::close(ends[0]);
  if (spawned != 0) return absl::UnavailableError("the process could not be started");
  int status = 0;
  rusage usage{};
  ::wait4(process, &status, 0, &usage);
  int64_t answered_nanos = 0;
  unsigned long long log_events = 0;
  if (bytes <= 0 || status != 0 || std::sscanf(line.data(), "%ld %llu", &answered_nanos, &log_events) != 2) {
    return absl::UnavailableError("the process that was to open the log failed");
  }
  return Opened{absl::Nanoseconds(answered_nanos) - began, static_cast<uint64_t>(usage.ru_maxrss) * 1024,
                log_events};
}

}  // namespace

absl::Status OpenAndRead(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(const Target target, Target::Open(options));
  QL_ASSIGN_OR_RETURN(const eventstore::Position head, target.store().Head());
  uint64_t events = 0;
  if (head.value > 0) {
    const std::string teacher = target.workload().Teacher(head.value / 2);
    QL_RETURN_IF_ERROR(target.store()
                           .Read(eventstore::Query{{eventstore::QueryItem{{}, {teacher}}}}, {},
                                 [&](const eventstore::EventView&) {
                                   ++events;
                                   return true;
                                 })
                           .status());
    if (events == 0) return absl::DataLossError("a teacher of the log's middle has no event");
  }
  fmt::print("{} {}\n", absl::ToInt64Nanoseconds(Now()), head.value);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::StatusOr<Figures> RunOpen(const BenchOptions& options) {
  WorkloadOptions workload;
  {
    QL_ASSIGN_OR_RETURN(const Target target, Target::Open(options));
    if (options.events > 0) QL_RETURN_IF_ERROR(target.FillUpTo(options.events));
    workload = target.workload().options();
  }
  QL_ASSIGN_OR_RETURN(const Opened opened, SpawnAndTime(options));
  Figures figures = Describe("open", options, workload);
  figures["log_events"] = opened.log_events;
  figures["first_answer_ms"] = absl::ToDoubleMilliseconds(opened.first_answer);
  figures["peak_memory_bytes"] = opened.peak_memory_bytes;
  return figures;
}

}  // namespace qinglan::bench
