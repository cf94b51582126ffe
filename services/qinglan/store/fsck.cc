// `qinglan fsck`: checks a store's directory whole. Nobody may have it open.
#include "eventstore/rocks/fsck.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "services/qinglan/command_line.h"

namespace qinglan {
namespace {

void PrintText(const eventstore::FsckReport& report) {
  fmt::print("store {}: {} events in {} commits, {} postings, {} bytes of records\n", report.store_id,
             report.events, report.commits, report.postings, report.bytes);
  for (const auto& problem : report.problems) {
    const bool placed = problem.position > eventstore::Position();
    fmt::print("{}{}\n", placed ? fmt::format("position {}: ", problem.position.value) : "", problem.what);
  }
  fmt::print("{}\n", report.clean() ? "clean" : fmt::format("{} problems", report.problems.size()));
}

void PrintJson(const eventstore::FsckReport& report) {
  nlohmann::json problems = nlohmann::json::array();
  for (const auto& problem : report.problems)
    problems.push_back({{"position", problem.position.value}, {"what", problem.what}});
  const nlohmann::json all = {{"store_id", report.store_id}, {"events", report.events},
                              {"commits", report.commits},   {"postings", report.postings},
                              {"bytes", report.bytes},       {"clean", report.clean()},
                              {"problems", problems}};
  fmt::print("{}\n", all.dump(2));
}

int RunFsck(const std::string& directory, Output output) {
  const bool show_progress = output == Output::kText && isatty(STDERR_FILENO) == 1;
  const auto show = [&](std::string_view phase, uint64_t done, uint64_t of) {
    if (show_progress) fmt::print(stderr, "\r{}: {} of {}   ", phase, done, of);
  };
  const auto report =
      eventstore::FsckDirectory(directory + "/log", show, eventstore::kNeverStop, directory + "/checkpoints");
  if (show_progress) fmt::print(stderr, "\n");
  if (!report.ok()) return Fail("fsck", report.status());
  output == Output::kJson ? PrintJson(*report) : PrintText(*report);
  return report->clean() ? kExitOk : kExitPartly;
}

}  // namespace

void AddFsck(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "fsck",
      "Checks that a store, and what was signed of it, is complete and sound (exit code 2 when it is not)");
  auto directory = std::make_shared<std::string>();
  auto output = std::make_shared<Output>(Output::kText);
  command->add_option("--data", *directory, "the data directory that serve was given")
      ->required()
      ->type_name("DIR");
  AddOutputOption(*command, *output);
  command->callback(
      [directory, output, &run] { run = [directory, output] { return RunFsck(*directory, *output); }; });
}

}  // namespace qinglan
