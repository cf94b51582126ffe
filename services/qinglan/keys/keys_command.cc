// `qinglan keys`: the master key and the keys of persons, while no server has them open; or a copy of them,
// whoever has.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "eventstore/privacy/key_copy.h"
#include "eventstore/privacy/key_file.h"
#include "eventstore/privacy/key_list.h"
#include "eventstore/privacy/master_key.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/keys/check_sealed.h"
#include "services/qinglan/keys/new_file.h"
#include "services/qinglan/keys/open_keys.h"

namespace qinglan {
namespace {

using eventstore::privacy::KeyStore;
using eventstore::privacy::MasterKeyRing;

struct Options {
  std::string data;
  KeysOptions keys;
  std::string out;
  std::string subject;
  bool yes = false;
  Output output = Output::kText;
};

// On the disk for good: what wraps every key must not be lost with the machine's next power cut.
absl::Status WriteMaster(const std::string& path, const std::string& lines) {
  QL_RETURN_IF_ERROR(WriteFile(path, lines, true));
  const auto folder = std::filesystem::absolute(path).parent_path();
  return eventstore::privacy::SyncFile(folder.string());
}

absl::Status NewMaster(const Options& options) {
  QL_ASSIGN_OR_RETURN(const bool is_there, IsThere(options.out));
  if (is_there)
    return absl::FailedPreconditionError(
        fmt::format("{}: is there already, and is not replaced", options.out));
  QL_RETURN_IF_ERROR(WriteMaster(options.out, MasterKeyRing::NewLine()));
  QL_ASSIGN_OR_RETURN(const auto ring, MasterKeyRing::FromFile(options.out));
  fmt::print(
      "master key {} in {}. Keep a copy apart from every backup of the data: without it nothing personal can "
      "be "
      "read again.\n",
      ring->CurrentId(), options.out);
  return absl::OkStatus();
}

// Those that are there: whoever misspelt a folder is told so, and does not get new keys in it.
absl::StatusOr<std::unique_ptr<KeyStore>> OpenThere(const Options& options) {
  if (options.data.empty()) return absl::InvalidArgumentError("--data: names no folder");
  KeysOptions there = options.keys;
  there.existing_only = true;
  const bool named = !there.directory.empty();
  if (!named) there.directory = options.data + "/keys";
  auto keys = OpenKeys(there);
  if (!absl::IsNotFound(keys.status())) return keys;
  return absl::NotFoundError(fmt::format("{}: {}",
                                         named ? "--keys-dir" : fmt::format("--data={}", options.data),
                                         std::string(keys.status().message())));
}

absl::Status PrintStatus(const Options& options) {
  QL_ASSIGN_OR_RETURN(const auto keys, OpenThere(options));
  const KeyStore::Figures figures = keys->Count();
  if (options.output == Output::kJson) {
    fmt::print("{}\n", nlohmann::json{{"subjects", figures.subjects},
                                      {"keys", figures.keys},
                                      {"erased", figures.erased},
                                      {"keys_by_master", figures.keys_by_master}}
                           .dump(2));
    return absl::OkStatus();
  }
  fmt::print("{} subjects with {} keys, {} erased\n", figures.subjects, figures.keys, figures.erased);
  for (const auto& [master, count] : figures.keys_by_master)
    fmt::print("{} keys under the master key {}\n", count, master);
  return absl::OkStatus();
}

// The file that a command may change. FAILED_PRECONDITION when the master key is in the environment.
absl::StatusOr<std::string> ChangeableMasterFile(const Options& options) {
  KeysOptions keys = options.keys;
  if (keys.directory.empty()) keys.directory = options.data + "/keys";
  std::string file = MasterKeyFile(keys);
  if (!file.empty()) return file;
  return absl::FailedPreconditionError(
      fmt::format("the master key is in {}: write it to a file, change it there (--master-key-file), and set "
                  "the variable anew",
                  eventstore::privacy::kMasterKeyVariable));
}

// First the file with both versions, then the keys: whatever is interrupted, the file holds what wraps every
// key. It keeps the former version, which other copies of the keys may need that nobody here knows of.
absl::Status RotateMaster(const Options& options) {
  QL_ASSIGN_OR_RETURN(const std::string file, ChangeableMasterFile(options));
  {
    QL_ASSIGN_OR_RETURN(const auto before,
                        OpenThere(options));  // nobody else has them open, and they are sound
    QL_ASSIGN_OR_RETURN(std::string lines, ReadFile(file));
    if (!lines.ends_with('\n')) lines += '\n';
    QL_RETURN_IF_ERROR(WriteMaster(file, lines + MasterKeyRing::NewLine()));
  }
  QL_ASSIGN_OR_RETURN(const auto keys, OpenThere(options));
  QL_ASSIGN_OR_RETURN(const uint64_t rewrapped, keys->Rewrap());
  QL_ASSIGN_OR_RETURN(const auto ring, MasterKeyRing::FromFile(file));
  fmt::print("{} keys are under the master key {} now\n", rewrapped, ring->CurrentId());
  fmt::print(
      "{} keeps the former master key, which backups and other copies of the keys need (`qinglan keys "
      "forget-former` takes it out)\n",
      file);
  return absl::OkStatus();
}

// A ring's file without its former versions: its comments, and the last of its keys.
struct Shortened {
  std::string lines;
  size_t forgotten = 0;
};

Shortened WithoutFormer(std::string_view lines) {
  Shortened kept;
  std::string current;
  while (!lines.empty()) {
    const std::string line = std::string(lines.substr(0, lines.find('\n'))) + "\n";
    lines.remove_prefix(std::min(lines.size(), line.size()));
    if (line.starts_with("qinglan-master-")) {
      if (!current.empty()) ++kept.forgotten;
      current = line;
    } else {
      kept.lines += line;
    }
  }
  kept.lines += current;
  return kept;
}

// What it means is said before it is done: other copies of the keys may need the former, and only whoever
// keeps them knows.
absl::Status ForgetFormer(const Options& options) {
  QL_ASSIGN_OR_RETURN(const std::string file, ChangeableMasterFile(options));
  QL_ASSIGN_OR_RETURN(const auto keys, OpenThere(options));
  QL_ASSIGN_OR_RETURN(const auto ring, MasterKeyRing::FromFile(file));
  for (const auto& [master, count] : keys->Count().keys_by_master) {
    if (master == ring->CurrentId()) continue;
    return absl::FailedPreconditionError(
        fmt::format("{} keys are under the former master key {} still: rotate-master first", count, master));
  }
  QL_ASSIGN_OR_RETURN(const std::string lines, ReadFile(file));
  const Shortened kept = WithoutFormer(lines);
  if (kept.forgotten == 0) {
    fmt::print("{} holds no former master key\n", file);
    return absl::OkStatus();
  }
  fmt::print(
      stderr,
      "warning: {} will hold the master key {} alone. Every backup made before the rotation, and every other "
      "copy of the keys that was not rotated with this file, can then be read by nobody, for good, unless a "
      "copy of the former master key is kept elsewhere\n",
      file, ring->CurrentId());
  if (!options.yes) return absl::FailedPreconditionError("nothing was changed: give --yes to do it");
  QL_RETURN_IF_ERROR(WriteMaster(file, kept.lines));
  fmt::print("{} holds the master key {} alone now\n", file, ring->CurrentId());
  return absl::OkStatus();
}

absl::Status RotateSubject(const Options& options) {
  QL_ASSIGN_OR_RETURN(const auto keys, OpenThere(options));
  const auto version = keys->Rotate(options.subject);
  if (absl::IsNotFound(version.status())) {
    return absl::NotFoundError(fmt::format(
        "--subject: there is no key of {} here; a teacher's is \"teacher:<id>\"", options.subject));
  }
  QL_RETURN_IF_ERROR(version.status());
  fmt::print("{}: version {} seals from now on\n", options.subject, *version);
  return absl::OkStatus();
}

absl::Status Copy(const Options& options) {
  // A job that copies the wrong folder every night is to fail, not to copy nothing.
  QL_ASSIGN_OR_RETURN(const auto files, eventstore::privacy::KeyList::FilesIn(options.keys.directory));
  if (files.empty())
    return absl::NotFoundError(fmt::format("--keys-dir={}: there are no keys here", options.keys.directory));
  QL_ASSIGN_OR_RETURN(const auto copied,
                      eventstore::privacy::CopyKeyFiles(options.keys.directory, options.out));
  fmt::print("{} keys and the traces of {} that were destroyed are in {}\n", copied.keys, copied.erased,
             options.out);
  return absl::OkStatus();
}

absl::StatusOr<int> Check(const Options& options) {
  QL_ASSIGN_OR_RETURN(const auto keys, OpenThere(options));
  eventstore::RocksEventStore::Options log;
  log.directory = options.data + "/log";
  std::error_code error;
  if (!std::filesystem::exists(log.directory + "/CURRENT", error))  // opening would make one
    return absl::NotFoundError(fmt::format("--data={}: no event store in {}", options.data, log.directory));
  QL_ASSIGN_OR_RETURN(const auto store, eventstore::RocksEventStore::Open(log));
  QL_ASSIGN_OR_RETURN(const SealedReport report, CheckSealed(*store, *keys));
  const bool clean = report.problems.empty() && report.clear == 0;
  if (options.output == Output::kJson) {
    nlohmann::json problems = nlohmann::json::array();
    for (const auto& problem : report.problems)
      problems.push_back({{"position", problem.position.value}, {"what", problem.what}});
    fmt::print("{}\n", nlohmann::json{{"opened", report.opened},
                                      {"erased", report.erased},
                                      {"clear", report.clear},
                                      {"problems", problems}}
                           .dump(2));
  } else {
    fmt::print("{} sealed texts open, {} are erased, {} are stored in clear\n", report.opened, report.erased,
               report.clear);
    for (const auto& problem : report.problems)
      fmt::print("position {}: {}\n", problem.position.value, problem.what);
    if (!report.problems.empty()) {
      fmt::print("{} problems\n", report.problems.size());
    } else if (clean) {
      fmt::print("clean\n");
    }
  }
  return clean ? kExitOk : kExitPartly;
}

int Exit(const absl::Status& status) { return status.ok() ? kExitOk : Fail("keys", status); }

// Options that say which keys; `data` names the default directory.
void AddKeysOptions(CLI::App& command, Options& options) {
  command.add_option("--data", options.data, "the data directory that serve was given")
      ->required()
      ->type_name("DIR");
  command
      .add_option("--keys-dir", options.keys.directory,
                  "where the keys are (default: keys/ in the data directory)")
      ->type_name("DIR");
  command
      .add_option("--master-key-file", options.keys.master_key_file,
                  "what wraps them (default: the variable QINGLAN_MASTER_KEY, else master.key in --keys-dir)")
      ->check(CLI::ExistingFile);
}

using Action = int (*)(const Options&);

void Add(CLI::App& keys, const char* name, const char* what, std::shared_ptr<Options> options,
         RunCommand& run, Action action) {
  auto* command = keys.add_subcommand(name, what);
  AddKeysOptions(*command, *options);
  if (std::string_view(name) == "rotate") {
    command->add_option("--subject", options->subject, "whose key, as \"teacher:<id>\"")->required();
  } else if (std::string_view(name) == "forget-former") {
    command->add_flag("--yes", options->yes, "do it; without, only what it would mean is said");
  } else if (std::string_view(name) != "rotate-master") {
    AddOutputOption(*command, options->output);
  }
  command->callback([options, action, &run] { run = [options, action] { return action(*options); }; });
}

}  // namespace

void AddKeys(CLI::App& app, RunCommand& run) {
  auto* keys = app.add_subcommand(
      "keys", "The keys of persons and the master key that wraps them; but for `copy`, while no server runs");
  keys->require_subcommand(1);
  auto options = std::make_shared<Options>();
  auto* make = keys->add_subcommand("new-master", "Makes a master key in a file for its owner only");
  make->add_option("--out", options->out, "the file; never one that is there already")
      ->required()
      ->type_name("FILE");
  make->callback([options, &run] { run = [options] { return Exit(NewMaster(*options)); }; });
  auto* copy = keys->add_subcommand("copy", "Copies the keys, wrapped as they are, also of a running server");
  copy->add_option("--keys-dir", options->keys.directory, "where they are")->required()->type_name("DIR");
  copy->add_option("--to", options->out, "directory to make; nothing may be there")
      ->required()
      ->type_name("DIR");
  copy->callback([options, &run] { run = [options] { return Exit(Copy(*options)); }; });
  Add(*keys, "status", "How many keys there are, under which master key", options, run,
      [](const Options& given) { return Exit(PrintStatus(given)); });
  Add(*keys, "rotate-master",
      "Makes a new version of the master key and wraps every key by it; the file keeps the former", options,
      run, [](const Options& given) { return Exit(RotateMaster(given)); });
  Add(*keys, "forget-former",
      "Takes the former master keys out of the file: backups that need them can never be read again", options,
      run, [](const Options& given) { return Exit(ForgetFormer(given)); });
  Add(*keys, "rotate", "Makes a new version of one subject's key, which seals from now on", options, run,
      [](const Options& given) { return Exit(RotateSubject(given)); });
  Add(*keys, "check", "Opens every sealed text of the log: it is whole, in its place, and has its key",
      options, run, [](const Options& given) {
        const auto code = Check(given);
        return code.ok() ? *code : Fail("keys", code.status());
      });
}

}  // namespace qinglan
