#include "services/qinglan/keys/open_keys.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "eventstore/check.h"
#include "eventstore/privacy/master_key.h"
#include "eventstore/privacy/private_folder.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/keys/new_file.h"

namespace qinglan {
namespace {

using eventstore::privacy::KeyStore;
using eventstore::privacy::MasterKeyRing;

const char* Variable() {
  const char* value = std::getenv(eventstore::privacy::kMasterKeyVariable);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

absl::StatusOr<bool> HoldsKeys(const std::string& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with("keys-")) return true;
  }
  if (!error || error == std::errc::no_such_file_or_directory) return false;
  return absl::UnavailableError(fmt::format("{}: {}", directory, error.message()));
}

absl::Status MakeMasterKey(const std::string& directory, const std::string& file) {
  QL_ASSIGN_OR_RETURN(const bool holds_keys, HoldsKeys(directory));
  if (holds_keys) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: there are keys but not the master key that wraps them; name its file (--master-key-file) or "
        "set {}",
        directory, eventstore::privacy::kMasterKeyVariable));
  }
  QL_RETURN_IF_ERROR(eventstore::privacy::MakePrivateFolder(directory));
  QL_RETURN_IF_ERROR(WriteFile(file, MasterKeyRing::NewLine(), true));
  QL_RETURN_IF_ERROR(eventstore::privacy::SyncFile(directory));
  spdlog::warn(
      "no master key was named: one was made in {}. For anything but a trial keep it elsewhere (qinglan keys "
      "new-master) and name it (--master-key-file); whoever loses it loses every name in the log",
      file);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<MasterKeyRing>> FindMasterKey(const KeysOptions& options) {
  const std::string file = MasterKeyFile(options);
  if (file.empty()) {
    std::string lines = Variable();
    std::replace(lines.begin(), lines.end(), ',', '\n');
    auto ring = MasterKeyRing::Parse(lines);
    if (ring.ok()) return ring;
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", eventstore::privacy::kMasterKeyVariable, std::string(ring.status().message())));
  }
  QL_ASSIGN_OR_RETURN(const bool is_there, IsThere(file));
  if (options.master_key_file.empty() && !is_there)
    QL_RETURN_IF_ERROR(MakeMasterKey(options.directory, file));
  return MasterKeyRing::FromFile(file);
}

}  // namespace

std::string MasterKeyFile(const KeysOptions& options) {
  if (!options.master_key_file.empty()) return options.master_key_file;
  return Variable() != nullptr ? "" : options.directory + "/master.key";
}

absl::StatusOr<std::unique_ptr<KeyStore>> OpenKeys(const KeysOptions& options) {
  if (options.existing_only) {
    QL_ASSIGN_OR_RETURN(const bool holds_keys, HoldsKeys(options.directory));
    if (!holds_keys) return absl::NotFoundError(fmt::format("{}: there are no keys here", options.directory));
  }
  QL_ASSIGN_OR_RETURN(std::shared_ptr<MasterKeyRing> master, FindMasterKey(options));
  return KeyStore::Open({.directory = options.directory, .master = std::move(master)});
}

}  // namespace qinglan
