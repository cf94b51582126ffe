// `qinglan restore` and `qinglan verify-backup`: both on directories, no server needed.
#include "eventstore/rocks/backup/restore.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/verify.h"
#include "services/operations/backups/jobs.h"
#include "services/qinglan/store/backups.h"
#include "services/qinglan/store/stream.h"

namespace qinglan {
namespace {

using eventstore::BackupDirectory;

struct FromOptions {
  std::string from;
  uint64_t generation = 0;  // 0: the newest
  store::Speech speech;

  void AddTo(CLI::App& command, bool required) {
    command.add_option("--from", from, "directory of backups")->required(required)->type_name("DIR");
    command.add_option("--generation", generation, "which one; default: the newest")
        ->check(store::WholeNumber(1));
    speech.AddTo(command);
  }
};

CLI::Validator Instant() {
  return CLI::Validator(
      [](const std::string& value) {
        return std::string(eventstore::ParseInstant(value).status().message());
      },
      "", "instant");
}

struct RestoreCommandOptions {
  FromOptions from;
  std::string stream;
  std::string data;
  std::optional<uint64_t> to_position;
  std::string to_instant;
};

absl::StatusOr<eventstore::RestoredBackup> Restore(const RestoreCommandOptions& options) {
  QL_ASSIGN_OR_RETURN(const auto backups, BackupDirectory::OpenExisting(options.from.from, false));
  eventstore::RestoreOptions restore;
  restore.data = options.data;
  if (options.from.generation > 0) restore.generation = options.from.generation;
  if (options.to_position.has_value()) restore.to_position = eventstore::Position(*options.to_position);
  if (!options.to_instant.empty()) {
    QL_ASSIGN_OR_RETURN(restore.to_instant, eventstore::ParseInstant(options.to_instant));
  }
  return eventstore::RestoreBackup(*backups, restore, options.from.speech.Progress());
}

int RunRestore(const RestoreCommandOptions& options) {
  const store::Speech& speech = options.from.speech;
  if (!options.stream.empty()) return store::StreamIn(options.stream, options.data, speech);
  const auto restored = Restore(options);
  speech.EndProgress();
  if (!restored.ok()) return Fail("restore", restored.status());
  if (speech.json()) {
    const nlohmann::json json = {{"generation", restored->manifest.generation},
                                 {"store_id", restored->manifest.store_id},
                                 {"position", restored->head.value}};
    fmt::print("{}\n", json.dump(2));
  }
  speech.Say("RESTORE_DONE", {{"data", options.data},
                              {"generation", std::to_string(restored->manifest.generation)},
                              {"position", std::to_string(restored->head.value)}});
  speech.Say("RESTORE_VIEWS");
  speech.Say("BACKUP_MASTER_KEY");
  return kExitOk;
}

struct VerifyCommandOptions {
  FromOptions from;
  std::string scratch;
  std::string keys_directory;
};

absl::StatusOr<eventstore::VerifiedBackup> Verify(const VerifyCommandOptions& options, uint64_t& generation) {
  const eventstore::BackupProgress progress = options.from.speech.Progress();
  QL_ASSIGN_OR_RETURN(const auto backups, BackupDirectory::OpenExisting(options.from.from, true));
  generation = options.from.generation;
  if (generation == 0) {
    QL_ASSIGN_OR_RETURN(const std::vector<eventstore::BackupGeneration> all, backups->List());
    if (all.empty()) return absl::NotFoundError(fmt::format("{}: no backup here yet", options.from.from));
    generation = all.back().number;
  }
  const std::string scratch =
      options.scratch.empty() ? eventstore::TrialDirectory(*backups) : options.scratch + "/qinglan-trial";
  return eventstore::VerifyBackup(*backups, generation, scratch, progress, options.keys_directory);
}

int RunVerify(const VerifyCommandOptions& options) {
  uint64_t generation = 0;
  const auto verified = Verify(options, generation);
  options.from.speech.EndProgress();
  if (!verified.ok()) return Fail("verify-backup", verified.status());
  const operations::v1::TrialRestore trial = operations::AsTrial(*verified);
  if (options.from.speech.json()) store::PrintJson(trial, generation);
  options.from.speech.Say(trial, generation);
  return verified->sound() ? kExitOk : kExitPartly;
}

}  // namespace

void AddRestore(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand("restore", "Makes a data directory from a backup");
  auto options = std::make_shared<RestoreCommandOptions>();
  options->from.AddTo(*command, false);
  command->add_option("--data", options->data, "data directory to make; nothing may be in it")
      ->required()
      ->type_name("DIR");
  command->add_option("--to-position", options->to_position, "only the log up to this position")
      ->check(store::WholeNumber(1));
  command
      ->add_option("--to-instant", options->to_instant,
                   "only what was recorded by then, such as 2026-11-25T10:00:00+08:00")
      ->check(Instant())
      ->excludes("--to-position");
  // A stream is read once, front to back, and restored whole.
  command
      ->add_option("--stream", options->stream,
                   "in place of --from: a stream in a file, or - for standard input; all of it")
      ->type_name("FILE")
      ->excludes("--from")
      ->excludes("--generation")
      ->excludes("--to-position")
      ->excludes("--to-instant");
  command->callback([options, &run] {
    if (options->from.from.empty() && options->stream.empty()) throw CLI::RequiredError("--from or --stream");
    run = [options] { return RunRestore(*options); };
  });
}

void AddVerifyBackup(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "verify-backup",
      "Checks a backup by a trial restore and a check of all that is in it (exit code 2: not sound)");
  auto options = std::make_shared<VerifyCommandOptions>();
  options->from.AddTo(*command, true);
  command
      ->add_option("--scratch", options->scratch, "where to restore to on trial; default: beside the backups")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command
      ->add_option("--keys-dir", options->keys_directory,
                   "where the keys of persons are, or a copy of them, for a backup of a log that is alone")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command->callback([options, &run] { run = [options] { return RunVerify(*options); }; });
}

}  // namespace qinglan
