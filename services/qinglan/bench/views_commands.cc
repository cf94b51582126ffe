#include "services/qinglan/bench/views_commands.h"

#include <memory>

#include "services/qinglan/bench/runs/views.h"

namespace qinglan::bench {
namespace {

using Runner = absl::StatusOr<Figures> (*)(const ViewsOptions&);

constexpr uint64_t kEventsMax = 1'000'000'000;

int Run(Runner runner, const ViewsOptions& options) {
  const absl::StatusOr<Figures> figures = runner(options);
  if (!figures.ok()) return Fail("bench", figures.status());
  Print(*figures, options.output);
  return kExitOk;
}

struct Command {
  CLI::App* app;
  std::shared_ptr<ViewsOptions> options;
};

Command Add(CLI::App& bench, RunCommand& run, const char* name, const char* what, Runner runner) {
  Command command{bench.add_subcommand(name, what), std::make_shared<ViewsOptions>()};
  AddOutputOption(*command.app, command.options->output);
  command.app->callback([options = command.options, runner, &run] {
    run = [options, runner] { return Run(runner, *options); };
  });
  return command;
}

void AddMaking(const Command& command) {
  command.app->add_option("--data", command.options->data, "a new directory, for the log that is made")
      ->required()
      ->type_name("DIR");
  command.app
      ->add_option("--like", command.options->like,
                   "data directory of a stopped server (demo-district's): its records, each in many copies "
                   "of other people, organisations and things")
      ->required()
      ->type_name("DIR");
}

}  // namespace

void AddViewsBenches(CLI::App& bench, RunCommand& run) {
  const Command grow = Add(bench, run, "grow", "Makes a large log that is like a small one", RunGrow);
  AddMaking(grow);
  grow.app->add_option("--events", grow.options->events, "at least so many")
      ->required()
      ->check(CLI::Range(uint64_t{1}, kEventsMax));

  const Command rebuild = Add(bench, run, "rebuild", "Makes all views of a log, beside it", RunRebuild);
  rebuild.app
      ->add_option("--data", rebuild.options->data,
                   "data directory of a stopped server; its log is only read")
      ->required()
      ->type_name("DIR");
  rebuild.app->add_option("--threads", rebuild.options->threads, "that fold, besides the one that reads")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  rebuild.app->add_option("--memory-mib", rebuild.options->memory_mib, "of rows before they are stored")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  rebuild.app->add_option("--runs", rebuild.options->runs, "how often; the median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();

  const Command lag = Add(bench, run, "view-lag",
                          "Appends records at a rate and tells how far behind the views are", RunViewLag);
  AddMaking(lag);
  lag.app->add_option("--rate", lag.options->rate, "events a second, in commits of one")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  lag.app->add_option("--seconds", lag.options->seconds, "to measure")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  lag.app->add_option("--warm-up", lag.options->warm_up_seconds, "seconds before that which do not count")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
}

}  // namespace qinglan::bench
