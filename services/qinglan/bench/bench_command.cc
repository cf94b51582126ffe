#include "services/qinglan/bench/bench_command.h"

#include <map>
#include <memory>

#include "services/qinglan/bench/options.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/views_commands.h"
#include "services/qinglan/bench/workload/workload.h"

namespace qinglan::bench {
namespace {

constexpr int kClientsMax = 4096;
constexpr double kSecondsMax = 3600;
constexpr uint64_t kEventsMax = 1'000'000'000;

using Runner = absl::StatusOr<Figures> (*)(const BenchOptions&);

int Run(Runner runner, const BenchOptions& options) {
  const absl::StatusOr<Figures> figures = runner(options);
  if (!figures.ok()) return Fail("bench", figures.status());
  Print(*figures, options.output);
  return kExitOk;
}

void AddPlace(CLI::App& command, BenchOptions& options) {
  command
      .add_option("--data", options.data,
                  "directory for a log of its own: new, or one that a benchmark made; opened in this "
                  "process, or with "
                  "--server that server's directory, so that its disk is told as well")
      ->type_name("DIR");
  CLI::Option* server = command
                            .add_option("--server", options.server,
                                        "a server of the event store, with a log that benchmarks made")
                            ->type_name("HOST:PORT");
  command
      .add_option("--token-file", options.token_file,
                  "file with the bearer token (never on the command line)")
      ->needs(server);
  command
      .add_option("--server-pid", options.server_pid,
                  "its process, when it runs here: for memory and CPU time")
      ->needs(server);
  command.add_option("--connections", options.connections, "that the clients share")
      ->needs(server)
      ->check(CLI::Range(1, kClientsMax))
      ->capture_default_str();
}

void AddLog(CLI::App& command, BenchOptions& options) {
  command.add_option("--events", options.events, "fill the log up to so many events first")
      ->check(CLI::Range(uint64_t{0}, kEventsMax));
  command.add_option("--seed", options.seed, "of the made-up events (default 1)");
  command
      .add_option("--event-bytes", options.event_bytes,
                  "of an event: type, tags and payload together (default 250)")
      ->check(CLI::Range(kEventBytesMin, kEventBytesMax));
  command.add_option("--tags", options.tags, "of an event (default 3)")->check(CLI::Range(1, kTagsMax));
  command
      .add_option("--people", options.people,
                  "teachers, of 20 events each, among whom events are scattered (default 50000, or a 20th of "
                  "--events)")
      ->check(CLI::Range(uint64_t{1}, kEventsMax));
  AddOutputOption(command, options.output);
}

// Where --events-per-commit is free to say so of the filling.
void AddFill(CLI::App& command, BenchOptions& options) {
  command
      .add_option("--events-per-commit", options.fill_events_per_commit, "1 to 1000, of a log that is filled")
      ->check(CLI::Range(1, static_cast<int>(eventstore::kEventsPerCommitMax)))
      ->capture_default_str();
}

void AddDuration(CLI::App& command, BenchOptions& options) {
  command.add_option("--seconds", options.seconds, "to measure")
      ->check(CLI::Range(0.05, kSecondsMax))
      ->capture_default_str();
  command.add_option("--warm-up", options.warm_up_seconds, "seconds before that which do not count")
      ->check(CLI::Range(0.0, kSecondsMax))
      ->capture_default_str();
}

void AddClients(CLI::App& command, BenchOptions& options) {
  command.add_option("--clients", options.clients, "that work at the same time")
      ->check(CLI::Range(1, kClientsMax))
      ->capture_default_str();
}

void AddCompact(CLI::App& command, BenchOptions& options, const char* when) {
  command.add_flag("--compact", options.compact, when);
}

class Commands {
 public:
  Commands(CLI::App& bench, RunCommand& run) : bench_(bench), run_(run) {}

  // The options are the command's alone, so that each has its own defaults.
  std::pair<CLI::App*, std::shared_ptr<BenchOptions>> Add(const char* name, const char* what, Runner runner) {
    CLI::App* command = bench_.add_subcommand(name, what);
    auto options = std::make_shared<BenchOptions>();
    AddPlace(*command, *options);
    AddLog(*command, *options);
    command->callback(
        [options, runner, &run = run_] { run = [options, runner] { return Run(runner, *options); }; });
    return {command, options};
  }

 private:
  CLI::App& bench_;
  RunCommand& run_;
};

void AddAppend(Commands& commands) {
  auto [command, options] =
      commands.Add("append", "Appends, every one on stable storage when it counts", RunAppend);
  AddClients(*command, *options);
  AddDuration(*command, *options);
  command->add_option("--events-per-commit", options->events_per_commit, "1 to 1000")
      ->check(CLI::Range(1, static_cast<int>(eventstore::kEventsPerCommitMax)))
      ->capture_default_str();
  command
      ->add_flag("--conditional,!--unconditional", options->conditional,
                 "each append has a condition, as a command has")
      ->capture_default_str();
  CLI::Option* blocking =
      command->add_flag("--blocking", options->blocking,
                        "a thread a client, which waits; else the answer's callback sends the next");
  command
      ->add_option("--pipelined", options->pipelined,
                   "events in flight a client; 0: each append waits for its answer")
      ->excludes(blocking)
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  AddCompact(*command, *options, "merge all files before the disk is measured");
}

void AddRead(Commands& commands) {
  auto [command, options] =
      commands.Add("read", "Reads the few events of one tag, two tags or a type", RunRead);
  AddFill(*command, *options);
  AddClients(*command, *options);
  AddDuration(*command, *options);
  command
      ->add_option(
          "--mode", options->mode,
          "tag: a teacher's about 20 events; intersection: those in the school of half the log; type: the "
          "newest of a type")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ReadMode>{
          {"tag", ReadMode::kTag}, {"intersection", ReadMode::kIntersection}, {"type", ReadMode::kType}}))
      ->type_name("tag|intersection|type");
  command->add_option("--limit", options->limit, "events a read by type")->capture_default_str();
  AddCompact(*command, *options, "merge all files first");
}

void AddOthers(Commands& commands) {
  {
    auto [command, options] = commands.Add("fill", "Fills a log as fast as it goes", RunFill);
    command->get_option("--events")->required();
    AddFill(*command, *options);
    AddCompact(*command, *options, "merge all files before the disk is measured");
  }
  {
    auto [command, options] = commands.Add("replay", "Reads the whole log, again and again", RunReplay);
    AddFill(*command, *options);
    AddDuration(*command, *options);
    AddCompact(*command, *options, "merge all files first");
  }
  {
    auto [command, options] =
        commands.Add("lag", "Appends at a rate and tells how far behind a subscriber is", RunLag);
    AddDuration(*command, *options);
    command->add_option("--rate", options->rate, "events a second, in commits of one")
        ->check(CLI::Range(1.0, 1e6))
        ->capture_default_str();
  }
}

void AddOpen(Commands& commands, RunCommand& run) {
  auto [command, options] =
      commands.Add("open", "Time from the start of a process to its first answered read", RunOpen);
  auto here = std::make_shared<bool>(false);
  command->add_flag("--in-this-process", *here, "the part that is timed")->group("");
  command->callback([options, here, &run] {
    run = [options, here] {
      if (!*here) return Run(RunOpen, *options);
      const absl::Status read = OpenAndRead(*options);
      return read.ok() ? kExitOk : Fail("bench open", read);
    };
  });
}

}  // namespace

void AddBench(CLI::App& app, RunCommand& run) {
  CLI::App* bench = app.add_subcommand("bench", "Measures a log of made-up events, and views");
  bench->require_subcommand(1);
  Commands commands(*bench, run);
  AddAppend(commands);
  AddRead(commands);
  AddOthers(commands);
  AddOpen(commands, run);
  AddViewsBenches(*bench, run);
}

}  // namespace qinglan::bench
