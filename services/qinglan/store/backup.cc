// `qinglan backup`: makes a backup of a store that no server has open, and lists what backups there are.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <memory>

#include "eventstore/check.h"
#include "eventstore/rocks/disk/presence.h"
#include "services/operations/backups/jobs.h"
#include "services/operations/backups/place.h"
#include "services/qinglan/store/backups.h"
#include "services/qinglan/store/stream.h"

namespace qinglan {
namespace {

using operations::v1::BackupJob;

// How often a job is asked how far it is.
constexpr absl::Duration kPollEvery = absl::Milliseconds(200);

struct BackupOptions {
  std::string server;
  std::string token_file;
  std::string data;
  std::string keys_directory;
  std::string to;
  std::string stream;
  bool replace = false;
  uint32_t keep = 0;
  uint32_t megabytes_per_second_max = 0;
  bool trial = true;
  bool diverged = false;
  store::Speech speech;
};

operations::v1::CreateBackupRequest RequestOf(const BackupOptions& options) {
  operations::v1::CreateBackupRequest request;
  request.set_keep(options.keep);
  request.set_skip_trial_restore(!options.trial);
  request.set_diverged(options.diverged);
  request.set_megabytes_per_second_max(options.megabytes_per_second_max);
  return request;
}

absl::StatusOr<BackupJob> Follow(const store::Speech& speech,
                                 const std::function<absl::StatusOr<BackupJob>()>& ask) {
  const eventstore::BackupProgress progress = speech.Progress();
  for (;;) {
    QL_ASSIGN_OR_RETURN(const BackupJob job, ask());
    if (job.state() == operations::v1::BACKUP_JOB_STATE_DONE) return job;
    if (job.state() != operations::v1::BACKUP_JOB_STATE_RUNNING) return absl::UnavailableError(job.error());
    if (progress) (void)progress(job.phase(), job.done(), job.of());
    absl::SleepFor(kPollEvery);
  }
}

absl::StatusOr<BackupJob> BackUpHere(const BackupOptions& options) {
  eventstore::RocksEventStore::Options store_options;
  store_options.directory = options.data + "/log";
  QL_RETURN_IF_ERROR(eventstore::FindStore(store_options.directory));
  QL_RETURN_IF_ERROR(operations::PreparePlace(options.to, options.data));
  QL_ASSIGN_OR_RETURN(const auto store, eventstore::RocksEventStore::Open(store_options));
  operations::BackupSetting setting;
  setting.directory = options.to;
  setting.store = store.get();
  setting.keys_directory = options.keys_directory;
  setting.checkpoints_file = options.data + "/checkpoints";
  operations::BackupJobs jobs(setting, [] { return std::string("here"); });
  QL_ASSIGN_OR_RETURN(const operations::BackupJobs::Begun begun, jobs.Create(RequestOf(options)));
  return Follow(options.speech, [&] { return jobs.Get(begun.job_id); });
}

absl::StatusOr<BackupJob> BackUpOnServer(const BackupOptions& options, bool& joined) {
  ServerOption server;
  server.target = options.server;
  server.token_file = options.token_file;
  server.language = options.speech.language;
  QL_ASSIGN_OR_RETURN(const runtime::Client client, server.Connect());
  QL_ASSIGN_OR_RETURN(const auto begun,
                      client.Call<operations::v1::CreateBackupResponse>(RequestOf(options)));
  operations::v1::GetBackupJobRequest request;
  request.set_job_id(begun.job_id());
  joined = begun.joined();
  return Follow(options.speech, [&]() -> absl::StatusOr<BackupJob> {
    QL_ASSIGN_OR_RETURN(const auto response, client.Call<operations::v1::GetBackupJobResponse>(request));
    return response.job();
  });
}

void Print(const store::Speech& speech, const BackupJob& job, bool joined) {
  if (speech.json()) return store::PrintJson(job, joined);
  if (joined) speech.Say("BACKUP_JOINED");
  speech.Say("BACKUP_MADE", {{"generation", std::to_string(job.backup().generation())},
                             {"position", std::to_string(job.backup().position())},
                             {"copied", store::InWords(job.bytes_copied())},
                             {"total", store::InWords(job.backup().bytes())}});
  if (job.has_trial()) speech.Say(job.trial(), job.backup().generation());
  if (job.generations_removed() > 0)
    speech.Say("BACKUP_PURGED", {{"count", std::to_string(job.generations_removed())}});
  // Where the log has a process of its own, the keys are with that of the services.
  if (job.backup().key_files() == 0) speech.Say("BACKUP_NO_KEYS");
  speech.Say("BACKUP_MASTER_KEY");
}

int RunBackup(const BackupOptions& options) {
  if (!options.stream.empty())
    return store::StreamOut({options.data, options.keys_directory}, options.stream, options.replace,
                            options.speech);
  bool joined = false;
  const absl::StatusOr<BackupJob> job =
      options.server.empty() ? BackUpHere(options) : BackUpOnServer(options, joined);
  options.speech.EndProgress();
  if (!job.ok()) return Fail("backup", job.status());
  Print(options.speech, *job, joined);
  return !job->has_trial() || job->trial().sound() ? kExitOk : kExitPartly;
}

std::string InWords(const store::Speech& speech, const operations::v1::Backup& backup) {
  const std::string generation = std::to_string(backup.generation());
  if (backup.damaged()) return speech.Sentence("BACKUP_LISTED_DAMAGED", {{"generation", generation}});
  return speech.Sentence(
      "BACKUP_LISTED",
      {{"generation", generation},
       {"made_at", store::InWords(backup.made_at())},
       {"position", std::to_string(backup.position())},
       {"total", store::InWords(backup.bytes())},
       {"checked", backup.has_verified_at()
                       ? speech.Sentence("BACKUP_CHECKED", {{"when", store::InWords(backup.verified_at())}})
                       : speech.Sentence("BACKUP_UNCHECKED")}});
}

void Print(const store::Speech& speech, const operations::v1::Backup& backup) {
  const std::string line = InWords(speech, backup);
  if (backup.kept()) {
    fmt::print("{}  {}\n", line,
               speech.Sentence("BACKUP_KEPT", {{"generation", std::to_string(backup.generation())}}));
  } else {
    fmt::print("{}\n", line);
  }
}

absl::Status FindDirectory(const std::string& path) {
  struct stat there{};
  if (::stat(path.c_str(), &there) != 0) return eventstore::rocks::FromErrno(errno, path);
  return S_ISDIR(there.st_mode) ? absl::OkStatus() : eventstore::rocks::FromErrno(ENOTDIR, path);
}

int RunList(const std::string& from, const store::Speech& speech) {
  // A directory that is not there is another's name mistaken, and no list that is empty.
  if (const absl::Status there = FindDirectory(from); !there.ok()) return Fail("backup list", there);
  operations::BackupSetting setting;
  setting.directory = from;
  const auto backups = operations::BackupJobs(setting, nullptr).List();
  if (!backups.ok()) return Fail("backup list", backups.status());
  bool damaged = false;
  for (const operations::v1::Backup& backup : *backups) {
    if (!speech.json()) Print(speech, backup);
    damaged = damaged || backup.damaged();
  }
  if (speech.json()) store::PrintJson(*backups);
  if (backups->empty()) speech.Say("BACKUP_NONE");
  return damaged || backups->empty() ? kExitPartly : kExitOk;
}

void AddList(CLI::App& backup, RunCommand& run) {
  auto* command = backup.add_subcommand(
      "list",
      "Lists the generations of a directory of backups, oldest first (exit code 2: one is damaged, or "
      "there is none)");
  auto from = std::make_shared<std::string>();
  auto speech = std::make_shared<store::Speech>();
  command->add_option("--from", *from, "directory of backups")->required()->type_name("DIR");
  speech->AddTo(*command);
  command->callback([from, speech, &run] { run = [from, speech] { return RunList(*from, *speech); }; });
}

// Where the store is: a server's, or data that none has open. Returns --data.
CLI::Option* AddSource(CLI::App& command, BackupOptions& options) {
  auto* server =
      command.add_option("--server", options.server, "HOST:PORT of a running server (serve --backups=DIR)");
  auto* token =
      command.add_option("--token-file", options.token_file, "file with an operator's token, for --server");
  server->needs(token);
  token->needs(server);
  auto* data = command.add_option("--data", options.data, "the data directory of a server that is stopped")
                   ->type_name("DIR")
                   ->excludes(server);
  command
      .add_option("--keys-dir", options.keys_directory,
                  "where the keys of persons are, for --data (default: keys/ in the data directory; without "
                  "that, they are elsewhere, and the backup says so)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->needs(data);
  return data;
}

void AddHow(CLI::App& command, BackupOptions& options) {
  command.add_option("--keep", options.keep, "how many generations to keep; default: all")
      ->check(store::WholeNumber(1, eventstore::kBackupsKeptMax));
  command.add_flag("!--no-trial", options.trial, "leave out the trial restore");
  command.add_flag("--diverged", options.diverged,
                   "also when the log is shorter than the newest generation's, or another, or that one is "
                   "damaged; it is kept then, whatever --keep says");
  command
      .add_option("--megabytes-per-second", options.megabytes_per_second_max,
                  "copy no faster; default: no limit")
      ->check(store::WholeNumber(1, 100'000));
}

// Where the backup goes, for data that no server has open: a server has its own directory.
void AddDestination(CLI::App& command, BackupOptions& options, CLI::Option* data) {
  auto* to =
      command.add_option("--to", options.to, "directory of backups, for --data; made when it is not there")
          ->type_name("DIR")
          ->needs(data);
  auto* stream = command
                     .add_option("--stream", options.stream,
                                 "for --data: one stream of bytes to this file, or - for standard output")
                     ->type_name("FILE")
                     ->needs(data)
                     ->excludes(to)
                     ->excludes("--keep")
                     ->excludes("--no-trial")
                     ->excludes("--diverged")
                     ->excludes("--megabytes-per-second");
  command.add_flag("--replace", options.replace, "with --stream: replace a file that is there")
      ->needs(stream);
}

// The keys beside a log; empty when there are none, as where the log had a process of its own.
std::string KeysWith(const std::string& data) {
  std::string keys = data + "/keys";
  struct stat there{};
  return ::stat(keys.c_str(), &there) != 0 && errno == ENOENT ? "" : keys;
}

void CheckComplete(const BackupOptions& options) {
  if (options.server.empty() && options.data.empty()) throw CLI::RequiredError("--server or --data");
  if (!options.data.empty() && options.to.empty() && options.stream.empty())
    throw CLI::RequiredError("--to or --stream, with --data,");
}

}  // namespace

void AddBackup(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "backup",
      "Makes a backup, incrementally, and checks it by a trial restore (exit code 2: it is not sound)");
  auto options = std::make_shared<BackupOptions>();
  CLI::Option* data = AddSource(*command, *options);
  AddHow(*command, *options);
  AddDestination(*command, *options, data);
  options->speech.AddTo(*command);
  AddList(*command, run);
  command->callback([command, options, &run] {
    if (!command->get_subcommands().empty()) return;
    CheckComplete(*options);
    if (options->keys_directory.empty()) options->keys_directory = KeysWith(options->data);
    run = [options] { return RunBackup(*options); };
  });
}

}  // namespace qinglan
