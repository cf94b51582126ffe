// `qinglan serve`: the server process.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <map>

#include "eventstore/check.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/server/platform.h"
#include "services/qinglan/verify/commands.h"

namespace qinglan {
namespace {

// How long running calls have to end after SIGINT or SIGTERM.
constexpr absl::Duration kDrainGrace = absl::Seconds(10);

struct ServeOptions {
  PlatformOptions platform;
  std::string key_set_file;
  std::string port_file;
  std::string log_key_file;
  int checkpoint_seconds = 60;
};

// Every connection is an open file, and so is every sorted file of the log: a shell's usual 1,024 are few.
// The system's own limit, which the operator sets, stays what it is.
void AllowFiles() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

int RunServe(ServeOptions options) {
  AllowFiles();
  // Before any thread of ours is made, so that every one leaves these signals to the wait below; jemalloc's
  // takes no signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto key_set = ReadFile(options.key_set_file);
  if (!key_set.ok()) return Fail("serve", key_set.status());
  options.platform.key_set = *std::move(key_set);
  if (!options.log_key_file.empty()) {
    auto log_key = ReadLogKey(options.log_key_file);
    if (!log_key.ok()) return Fail("serve", log_key.status());
    options.platform.log_key = *std::move(log_key);
    options.platform.checkpoint_every = absl::Seconds(options.checkpoint_seconds);
  }
  auto platform = Platform::Start(options.platform);
  if (!platform.ok()) return Fail("serve", platform.status());
  const int port = (*platform)->port();
  if (!options.port_file.empty()) {
    const absl::Status written = WriteFile(options.port_file, fmt::format("{}\n", port), false);
    if (!written.ok()) return Fail("serve", written);
  }
  fmt::print("serving on {}:{}, data in {}\n", options.platform.server.host, port, options.platform.data);
  std::fflush(stdout);

  int received = 0;
  (void)sigwait(&signals, &received);
  fmt::print("draining\n");
  std::fflush(stdout);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second signal ends the process at once
  (*platform)->Drain(kDrainGrace);
  platform->reset();
  fmt::print("stopped\n");
  return kExitOk;
}

void AddRoles(CLI::App& command, PlatformOptions& options) {
  command
      .add_option("--roles", options.roles,
                  "what to serve: all, in one process; eventstore, the log alone; services, all but the log")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Roles>{
          {"all", Roles::kAll}, {"eventstore", Roles::kEventStore}, {"services", Roles::kServices}}))
      ->type_name("all|eventstore|services");
  auto* target = command
                     .add_option("--eventstore", options.event_store,
                                 "with --roles=services: HOST:PORT of who serves the log")
                     ->type_name("HOST:PORT");
  command
      .add_option("--eventstore-token-file", options.event_store_token_file,
                  "with --roles=services: file with an operator's token; read again when it changes")
      ->needs(target)
      ->type_name("FILE");
}

CLI::Validator TimeZone() {
  const auto check = [](const std::string& name) {
    absl::TimeZone zone;
    return absl::LoadTimeZone(name, &zone) ? std::string() : name + " is no time zone, such as Asia/Shanghai";
  };
  return CLI::Validator(check, "", "time zone");
}

// What of the options goes with which roles.
void CheckRoles(const ServeOptions& serve) {
  const PlatformOptions& options = serve.platform;
  const bool remote = options.roles == Roles::kServices;
  if (remote && (options.event_store.empty() || options.event_store_token_file.empty())) {
    throw CLI::ValidationError("--roles=services needs --eventstore and --eventstore-token-file");
  }
  if (remote && !options.backups.empty()) {
    throw CLI::ValidationError("--backups is for whoever has the log: not for --roles=services");
  }
  if (!remote && !options.event_store.empty()) {
    throw CLI::ValidationError("--eventstore is for --roles=services only");
  }
}

}  // namespace

void AddServe(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand("serve", "Serves until SIGINT or SIGTERM, then drains and stops");
  auto options = std::make_shared<ServeOptions>();
  options->platform.server.port = 7410;  // before --help takes it for the default
  AddRoles(*command, options->platform);
  command->add_option("--data", options->platform.data, "data directory; made when it is not there")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--keys", options->key_set_file,
                   "JSON Web Key Set with the public keys of whoever signs tokens")
      ->required()
      ->check(CLI::ExistingFile);
  command
      ->add_option("--backups", options->platform.backups,
                   "directory that operators may have backups made in (qinglan backup --server)")
      ->type_name("DIR");
  command
      ->add_option(
          "--keys-dir", options->platform.keys.directory,
          "where the keys of persons are kept, apart from the log (default: keys/ in the data directory)")
      ->type_name("DIR");
  command
      ->add_option(
          "--master-key-file", options->platform.keys.master_key_file,
          "what wraps these keys (default: the variable QINGLAN_MASTER_KEY, else master.key in --keys-dir)")
      ->check(CLI::ExistingFile);
  command->add_option("--host", options->platform.server.host, "address to listen on")->capture_default_str();
  command->add_option("--port", options->platform.server.port, "port to listen on; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--port-file", options->port_file, "file to write the port to once it serves")
      ->type_name("FILE");
  command->add_option("--time-zone", options->platform.time_zone, "in which a day is a day")
      ->check(TimeZone())
      ->capture_default_str();
  command->add_option("--workers", options->platform.server.workers, "calls that run at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  auto* log_key =
      command
          ->add_option("--log-key", options->log_key_file,
                       "private key that signs the log's checkpoints and receipts of erasures (see `qinglan "
                       "log-key`); without it neither is made")
          ->check(CLI::ExistingFile)
          ->type_name("FILE");
  command
      ->add_option("--checkpoint-seconds", options->checkpoint_seconds,
                   "how often a checkpoint is signed when the log has moved")
      ->check(CLI::Range(1, 86'400))
      ->needs(log_key)
      ->capture_default_str();
  command->callback([options, &run] {
    CheckRoles(*options);
    run = [options] { return RunServe(*options); };
  });
}

}  // namespace qinglan
