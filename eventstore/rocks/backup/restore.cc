#include "eventstore/rocks/backup/restore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/bulk_loader.h"
#include "eventstore/rocks/backup/key_files.h"
#include "eventstore/rocks/backup/log_stream.h"
#include "eventstore/rocks/backup/restore_place.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/read/log_cursor.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/tree/log_prover.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCacheBytes = 32 * 1024 * 1024;
constexpr char kKeysPath[] = "keys";
constexpr char kLogPrefix[] = "log/";

absl::Status Damaged(const std::string& file, std::string_view what) {
  return absl::DataLossError(fmt::format("{}: {}", file, what));
}

absl::Status RestoreKeys(const BackupDirectory& backups, const BackupManifest& manifest,
                         const BackupFile& keys, const std::string& target) {
  const std::string bundle = backups.PoolPath(keys.pool);
  const int file = ::open(bundle.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return rocks::FromErrno(errno, bundle);
  QL_RETURN_IF_ERROR(rocks::MakeDirectories(target));
  const absl::StatusOr<uint64_t> files = rocks::ReadKeyBundle(FromDescriptor(file), target);
  ::close(file);
  if (!files.ok()) return files.status();
  return *files == manifest.key_files ? absl::OkStatus() : Damaged(bundle, "key files are missing");
}

// One restore of one generation.
class Restore {
 public:
  Restore(const BackupDirectory& backups, const BackupManifest& manifest, std::string target,
          const BackupProgress& progress)
      : backups_(backups), manifest_(manifest), target_(std::move(target)), progress_(progress) {}

  absl::StatusOr<Position> Whole();
  absl::StatusOr<Position> CutOff(const RestoreOptions& options);

 private:
  absl::Status TakeKeys(rocks::Pace& pace);
  absl::Status CheckRestored() const;
  // Never before the first event: nobody asks for an empty log, but for another instant or position.
  absl::StatusOr<Position> FindEnd(const rocks::Database& source, const RestoreOptions& options) const;
  absl::StatusOr<Position> FindEndAt(const rocks::Database& source, Position to_position) const;
  absl::Status Load(const rocks::Database& source, Position end) const;

  const BackupDirectory& backups_;
  const BackupManifest& manifest_;
  const std::string target_;
  const BackupProgress& progress_;
};

absl::Status Restore::TakeKeys(rocks::Pace& pace) {
  for (const BackupFile& file : manifest_.files) {
    if (file.path != kKeysPath) continue;
    QL_RETURN_IF_ERROR(rocks::CheckCopy(file, rocks::HashFile(backups_.PoolPath(file.pool), pace)));
    QL_RETURN_IF_ERROR(RestoreKeys(backups_, manifest_, file, target_ + "/keys"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Position> Restore::Whole() {
  rocks::Pace pace("restore", manifest_.bytes(), 0, progress_);
  QL_RETURN_IF_ERROR(rocks::MakeDirectories(target_ + "/log"));
  for (const BackupFile& file : manifest_.files) {
    if (file.path == kKeysPath) continue;
    QL_RETURN_IF_ERROR(rocks::CheckCopy(
        file, rocks::CopySynced(backups_.PoolPath(file.pool), target_ + "/" + file.path, pace)));
  }
  QL_RETURN_IF_ERROR(rocks::SyncDirectory(target_ + "/log"));
  QL_RETURN_IF_ERROR(TakeKeys(pace));
  QL_RETURN_IF_ERROR(CheckRestored());
  return manifest_.head;
}

absl::Status Restore::CheckRestored() const {
  QL_ASSIGN_OR_RETURN(const auto database,
                      rocks::Database::OpenReadOnly({target_ + "/log", kCacheBytes, false}));
  QL_ASSIGN_OR_RETURN(const rocks::LogEnd end, rocks::FindLogEnd(*database));
  QL_ASSIGN_OR_RETURN(const std::string root, rocks::TreeRoot(*database, end.head));
  const auto differences =
      rocks::Differences(manifest_, {database->store_id(), end.head, end.recorded_at, root});
  return differences.empty() ? absl::OkStatus() : absl::DataLossError(differences[0]);
}

absl::StatusOr<Position> Restore::FindEnd(const rocks::Database& source,
                                          const RestoreOptions& options) const {
  if (options.to_instant.has_value()) {
    if (*options.to_instant > manifest_.made_at) {
      return absl::OutOfRangeError(fmt::format("generation {} was made at {}: what came later is not in it",
                                               manifest_.generation, InstantText(manifest_.made_at)));
    }
    QL_ASSIGN_OR_RETURN(const Position end, rocks::FindHeadAt(source, *options.to_instant, manifest_.head));
    if (end > Position()) return end;
    return absl::OutOfRangeError(fmt::format("nothing was recorded by {} of what is in generation {}",
                                             InstantText(*options.to_instant), manifest_.generation));
  }
  QL_ASSIGN_OR_RETURN(const Position end, FindEndAt(source, *options.to_position));
  if (end > Position()) return end;
  return absl::OutOfRangeError(
      fmt::format("no commit of the log ends at or before position {}", options.to_position->value));
}

absl::StatusOr<Position> Restore::FindEndAt(const rocks::Database& source, Position to_position) const {
  if (to_position > manifest_.head) {
    return absl::OutOfRangeError(
        fmt::format("generation {} ends at {}", manifest_.generation, manifest_.head.value));
  }
  if (to_position == Position()) return Position();
  rocks::LogCursor cursor(source);
  QL_RETURN_IF_ERROR(cursor.SeekContaining(to_position));
  if (cursor.record().last() == to_position) return to_position;
  return Position(cursor.record().first().value - 1);  // half a commit there is not
}

absl::Status Restore::Load(const rocks::Database& source, Position end) const {
  QL_ASSIGN_OR_RETURN(const auto loader, rocks::BulkLoader::Make(target_ + "/log", source.store_id(), {}));
  uint64_t commits = 0;
  constexpr uint64_t kProgressEvery = 4096;  // commits
  QL_RETURN_IF_ERROR(rocks::ForEachRecord(source, end, [&](Position last, std::string_view record) {
    if (++commits % kProgressEvery == 0 && progress_ && !progress_("load", last.value, end.value))
      return absl::CancelledError("stopped on request");
    return loader->Add(last, record);
  }));
  return loader->Finish().status();
}

absl::StatusOr<Position> Restore::CutOff(const RestoreOptions& options) {
  const std::string links = target_ + "/source";
  QL_RETURN_IF_ERROR(rocks::LinkLog(backups_, manifest_, links));
  Position end;
  {
    QL_ASSIGN_OR_RETURN(const auto source, rocks::Database::OpenReadOnly({links, kCacheBytes, false}));
    QL_ASSIGN_OR_RETURN(end, FindEnd(*source, options));
    QL_RETURN_IF_ERROR(Load(*source, end));
  }
  QL_RETURN_IF_ERROR(rocks::RemoveAll(links));
  rocks::Pace pace("restore", 0, 0, progress_);
  QL_RETURN_IF_ERROR(TakeKeys(pace));
  return end;
}

}  // namespace

namespace rocks {

absl::Status CheckCopy(const BackupFile& file, const absl::StatusOr<Copied>& copied) {
  if (absl::IsNotFound(copied.status())) return Damaged("files/" + file.pool, "it is missing");
  if (!copied.ok()) return copied.status();
  if (copied->bytes != file.bytes) {
    return Damaged("files/" + file.pool, fmt::format("it has {} bytes, not {}", copied->bytes, file.bytes));
  }
  return copied->hash == file.hash ? absl::OkStatus()
                                   : Damaged("files/" + file.pool, "its hash does not fit");
}

std::vector<std::string> Differences(const BackupManifest& manifest, const LogIdentity& log) {
  std::vector<std::string> differences;
  if (log.store_id != manifest.store_id) {
    differences.push_back(
        fmt::format("the log is of the store {}, the manifest of {}", log.store_id, manifest.store_id));
  }
  if (log.head != manifest.head) {
    differences.push_back(
        fmt::format("the log ends at {}, the manifest says {}", log.head.value, manifest.head.value));
  }
  if (log.recorded_at != manifest.head_recorded_at) {
    differences.push_back(fmt::format("the log's last event was recorded at {}, the manifest says {}",
                                      InstantText(log.recorded_at), InstantText(manifest.head_recorded_at)));
  }
  if (log.merkle_root != manifest.merkle_root) {
    differences.push_back(fmt::format("the root of the log's Merkle tree is {}, the manifest says {}",
                                      log.merkle_root, manifest.merkle_root));
  }
  return differences;
}

absl::Status LinkLog(const BackupDirectory& backups, const BackupManifest& manifest,
                     const std::string& directory) {
  QL_RETURN_IF_ERROR(MakeDirectories(directory));
  std::error_code error;
  for (const BackupFile& file : manifest.files) {
    if (!file.path.starts_with(kLogPrefix)) continue;
    const fs::path pooled = fs::absolute(backups.PoolPath(file.pool), error);
    if (!error && !fs::exists(pooled, error)) return Damaged("files/" + file.pool, "it is missing");
    if (!error) fs::create_symlink(pooled, fs::path(directory) / fs::path(file.path).filename(), error);
    if (error) return FromErrno(error.value(), directory);
  }
  return absl::OkStatus();
}

}  // namespace rocks

absl::StatusOr<RestoredBackup> RestoreBackup(const BackupDirectory& backups, const RestoreOptions& options,
                                             const BackupProgress& progress) {
  if (options.to_position.has_value() && options.to_instant.has_value())
    return absl::InvalidArgumentError("a position or an instant, not both");
  RestoredBackup restored;
  QL_ASSIGN_OR_RETURN(restored.manifest,
                      options.generation.has_value() ? backups.Find(*options.generation) : backups.Newest());
  QL_ASSIGN_OR_RETURN(rocks::RestorePlace place, rocks::RestorePlace::Take(options.data));
  Restore restore(backups, restored.manifest, place.path(), progress);
  const bool whole = !options.to_position.has_value() && !options.to_instant.has_value();
  QL_ASSIGN_OR_RETURN(restored.head, whole ? restore.Whole() : restore.CutOff(options));
  QL_RETURN_IF_ERROR(place.Finish());
  return restored;
}

}  // namespace qinglan::eventstore
