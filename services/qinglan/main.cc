#include <absl/synchronization/mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/qinglan/bench/bench_command.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/demo/demo_command.h"
#include "services/qinglan/verify/commands.h"

extern "C" {
// jemalloc reads this before main(). What is freed is kept for some ten seconds, for buffers of some hundred
// KiB come and go with every message of events; then a thread of jemalloc's gives it back to the system, also
// what a burst of clients left when none is there any more to ask for memory.
const char* malloc_conf = "background_thread:true,dirty_decay_ms:10000,muzzy_decay_ms:0";
}

extern const char kVersion[];  // made by CMake

namespace {

// An option that is given nothing, as by a variable of a shell that is not set, would be left out in silence,
// or take the next option for its value.
void CheckValuesAreThere(int argc, char** argv) {
  std::string_view option;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.empty()) {
      throw CLI::ArgumentMismatch(
          option.empty() ? "an argument is empty" : std::string(option) + ": its value is empty",
          CLI::ExitCodes::ArgumentMismatch);
    }
    option = argument.starts_with("--") ? argument : std::string_view();
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) continue;
    if (equals + 1 < option.size()) {
      option = {};
      continue;
    }
    throw CLI::ArgumentMismatch(std::string(option.substr(0, equals)) + ": its value is empty",
                                CLI::ExitCodes::ArgumentMismatch);
  }
}

// Else all that is said is that a subcommand is required.
void CheckSubcommands(CLI::App& app, int argc, char** argv) {
  CLI::App* command = &app;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const std::vector<CLI::App*> all = command->get_subcommands([](CLI::App*) { return true; });
    if (all.empty()) return;  // what follows are its own arguments
    const auto named =
        std::find_if(all.begin(), all.end(), [&](const CLI::App* one) { return one->get_name() == argv[i]; });
    if (named == all.end()) {
      throw CLI::ParseError(command->get_name() + ": there is no subcommand " + argv[i],
                            CLI::ExitCodes::ExtrasError);
    }
    command = *named;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's abseil is built with its search for deadlocks, at which every mutex that is locked, gRPC's above
  // all, is entered in a graph behind one lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Not among a command's answer, which may be JSON for another program.
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()));
  CLI::App app{"Qinglan 青蓝: an event-sourced record of teachers' professional growth", "qinglan"};
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion);
  qinglan::RunCommand run;
  qinglan::AddServe(app, run);
  qinglan::AddToken(app, run);
  qinglan::AddFsck(app, run);
  qinglan::AddBackup(app, run);
  qinglan::AddRestore(app, run);
  qinglan::AddVerifyBackup(app, run);
  qinglan::AddKeys(app, run);
  qinglan::AddErase(app, run);
  qinglan::AddHold(app, run);
  qinglan::AddPortfolio(app, run);
  qinglan::demo::AddDemoDistrict(app, run);
  qinglan::AddImport(app, run);
  qinglan::AddLogKey(app, run);
  qinglan::AddCheckpoint(app, run);
  qinglan::AddVerify(app, run);
  qinglan::bench::AddBench(app, run);
  qinglan::AddViews(app, run);
  try {
    CheckValuesAreThere(argc, argv);
    CheckSubcommands(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return run();
}
