#include "eventstore/rocks/backup/create.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/unique_id.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/version.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/key_files.h"
#include "eventstore/rocks/backup/restore.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/tree/log_prover.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCheckpointCacheBytes = 8 * 1024 * 1024;
constexpr char kKeysPath[] = "keys";
constexpr char kCheckpointsPath[] = "checkpoints";

// The checkpoint's directory; gone at the end.
class Source {
 public:
  // One that a killed process left is removed first.
  static absl::StatusOr<std::unique_ptr<Source>> Take(const rocks::Database& database) {
    std::unique_ptr<Source> source(new Source(database.db()->GetName() + ".backup"));
    QL_RETURN_IF_ERROR(rocks::RemoveAll(source->path_));
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(database.db(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    // All that is in memory is flushed: then the files that are alike from one backup to the next hold
    // everything but what is appended in this moment.
    if (status.ok()) status = checkpoint->CreateCheckpoint(source->path_, 0);
    QL_RETURN_IF_ERROR(rocks::FromRocks(status, "making the checkpoint"));
    return source;
  }
  ~Source() { (void)rocks::RemoveAll(path_); }
  Source(const Source&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit Source(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

// One backup being made.
class Creation {
 public:
  Creation(BackupDirectory& backups, const CreateBackupOptions& options, const BackupProgress& progress)
      : backups_(backups), options_(options), progress_(progress) {}

  absl::StatusOr<CreatedBackup> Run(const RocksEventStore& store);

 private:
  absl::Status LearnPool(const std::string& store_id);
  // What the checkpoint holds, and the names of its files in the pool.
  absl::Status Describe(const std::string& source);
  absl::Status CheckContinues(const rocks::Database& database);
  absl::Status NameTables(const rocks::Database& database);
  absl::Status CopyCheckpoints();
  absl::Status CopyLog(const std::string& source);
  absl::Status CopyKeys();
  absl::Status Add();
  bool IsSound(const BackupFile& pooled, rocks::Pace& pace) const {
    return rocks::CheckCopy(pooled, rocks::HashFile(backups_.PoolPath(pooled.pool), pace)).ok();
  }
  // Puts a file into the pool, under its content's hash when it has no name there.
  absl::Status Put(const std::string& from, const std::string& path, rocks::Pace& pace);

  BackupDirectory& backups_;
  const CreateBackupOptions& options_;
  const BackupProgress& progress_;
  CreatedBackup created_;
  // Nobody has found the newest generation sound: what is in the pool is read before it is relied on, and
  // replaced where it is damaged.
  bool suspect_ = false;
  std::optional<BackupManifest> former_;                       // the newest generation's that can be read
  std::vector<uint64_t> damaged_;                              // newer than the former: their manifests are
  bool diverged_ = false;                                      // from the former generation
  absl::flat_hash_set<uint64_t> kept_;                         // generations that are, before this one
  absl::flat_hash_map<std::string, BackupFile> pooled_;        // by name in the pool
  absl::flat_hash_map<std::string, std::string> table_names_;  // a table's file -> its name in the pool
};

absl::Status Creation::LearnPool(const std::string& store_id) {
  QL_ASSIGN_OR_RETURN(const std::vector<BackupGeneration> generations, backups_.List());
  for (const BackupGeneration& generation : generations) {
    created_.manifest.generation = generation.number;
    suspect_ = !generation.verified_at.has_value();
    if (generation.kept) kept_.insert(generation.number);
    // What is damaged stays so. Any other error passes, or is this program's that is too old: skipped, a
    // newer generation would be left behind unseen.
    if (absl::IsDataLoss(generation.manifest.status())) {
      damaged_.push_back(generation.number);
      continue;
    }
    QL_RETURN_IF_ERROR(InGeneration(generation.number, generation.manifest.status()));
    if (generation.manifest->store_id != store_id) {
      return absl::FailedPreconditionError(fmt::format("{}: these are backups of the store {}, not of {}",
                                                       backups_.path(), generation.manifest->store_id,
                                                       store_id));
    }
    for (const BackupFile& file : generation.manifest->files) {
      std::error_code error;
      if (fs::file_size(backups_.PoolPath(file.pool), error) == file.bytes && !error)
        pooled_.emplace(file.pool, file);
    }
    former_ = *generation.manifest;
    damaged_.clear();  // the former one was made when they could be read, or by whoever was told
  }
  created_.manifest.generation += 1;
  if (damaged_.empty() || options_.diverged) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: the manifest of generation {} is damaged, and whether the log continues it cannot be "
                  "told: use another directory, or say that it has diverged",
                  backups_.path(), damaged_.back()));
}

absl::Status Creation::NameTables(const rocks::Database& database) {
  for (rocksdb::ColumnFamilyHandle* family : database.families()) {
    rocksdb::TablePropertiesCollection all;
    QL_RETURN_IF_ERROR(
        rocks::FromRocks(database.db()->GetPropertiesOfAllTables(family, &all), "reading the tables"));
    for (const auto& [path, properties] : all) {
      std::string id;
      if (!rocksdb::GetUniqueIdFromTableProperties(*properties, &id).ok()) continue;  // its content names it
      std::string name = "table-";
      for (const char byte : id) name += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      table_names_[fs::path(path).filename().string()] = name;
    }
  }
  return absl::OkStatus();
}

// Whoever restores takes the newest generation, and a purge leaves the newest ones: what the former holds
// must be the beginning of what this one does.
absl::Status Creation::CheckContinues(const rocks::Database& database) {
  const BackupManifest& now = created_.manifest;
  if (!former_.has_value()) return absl::OkStatus();
  diverged_ = now.head < former_->head;
  if (!diverged_ && !former_->merkle_root.empty()) {
    QL_ASSIGN_OR_RETURN(const std::string root, rocks::TreeRoot(database, former_->head));
    diverged_ = root != former_->merkle_root;
  }
  if (!diverged_ || options_.diverged) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: the log ends at {} and does not continue generation {}, which ends at {}: use another "
                  "directory, or "
                  "say that it has diverged",
                  backups_.path(), now.head.value, former_->generation, former_->head.value));
}

absl::Status Creation::Describe(const std::string& source) {
  QL_ASSIGN_OR_RETURN(const auto database,
                      rocks::Database::OpenReadOnly({source, kCheckpointCacheBytes, false}));
  QL_ASSIGN_OR_RETURN(const rocks::LogEnd end, rocks::FindLogEnd(*database));
  BackupManifest& manifest = created_.manifest;
  manifest.store_id = database->store_id();
  manifest.store_format = std::string(rocks::kMetaFormat);
  manifest.head = end.head;
  QL_ASSIGN_OR_RETURN(manifest.merkle_root, rocks::TreeRoot(*database, end.head));
  QL_RETURN_IF_ERROR(CheckContinues(*database));
  if (end.head > Position()) manifest.head_recorded_at = end.recorded_at;
  manifest.tool = fmt::format("qinglan, RocksDB {}", rocksdb::GetRocksVersionAsString());
  return NameTables(*database);
}

absl::Status Creation::Put(const std::string& from, const std::string& path, rocks::Pace& pace) {
  BackupFile file{path, "", 0, ""};
  if (const auto name = table_names_.find(fs::path(from).filename().string()); name != table_names_.end()) {
    file.pool = name->second;
    std::error_code error;
    const auto pooled = pooled_.find(file.pool);
    const bool same = pooled != pooled_.end() && fs::file_size(from, error) == pooled->second.bytes && !error;
    if (same && (!suspect_ || IsSound(pooled->second, pace))) {
      file.bytes = pooled->second.bytes;
      file.hash = pooled->second.hash;
      created_.manifest.files.push_back(file);
      return pace.Passed(0);
    }
  }
  const std::string partial = backups_.PoolPath("copy.partial");
  QL_RETURN_IF_ERROR(rocks::RemoveAll(partial));
  QL_ASSIGN_OR_RETURN(const rocks::Copied copied, rocks::CopySynced(from, partial, pace));
  file.bytes = copied.bytes;
  file.hash = copied.hash;
  if (file.pool.empty()) file.pool = fmt::format("content-{}-{}", copied.hash, copied.bytes);
  created_.manifest.files.push_back(file);
  if (pooled_.contains(file.pool) && !suspect_) return rocks::RemoveAll(partial);
  QL_RETURN_IF_ERROR(rocks::RenameSynced(partial, backups_.PoolPath(file.pool)));
  created_.files_copied += 1;
  created_.bytes_copied += copied.bytes;
  return absl::OkStatus();
}

// A file that grows at its end only: whatever part of it is copied was there at one instant.
absl::Status Creation::CopyCheckpoints() {
  std::error_code error;
  const bool there = !options_.checkpoints_file.empty() && fs::exists(options_.checkpoints_file, error);
  if (error) return rocks::FromErrno(error.value(), options_.checkpoints_file);
  if (!there) return absl::OkStatus();
  rocks::Pace pace("copy", 0, options_.bytes_per_second_max, progress_);
  return Put(options_.checkpoints_file, kCheckpointsPath, pace);
}

absl::Status Creation::CopyLog(const std::string& source) {
  std::vector<std::string> files;
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry(source, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    files.push_back(name);
    const auto table = table_names_.find(name);
    if (table == table_names_.end() || !pooled_.contains(table->second)) bytes += entry->file_size(error);
  }
  if (error) return rocks::FromErrno(error.value(), source);
  std::sort(files.begin(), files.end());
  rocks::Pace pace("copy", bytes, options_.bytes_per_second_max, progress_);
  for (const std::string& name : files) QL_RETURN_IF_ERROR(Put(source + "/" + name, "log/" + name, pace));
  return absl::OkStatus();
}

absl::Status Creation::CopyKeys() {
  const std::string bundle = backups_.PoolPath("keys.partial");
  const std::string copy = backups_.PoolPath("keys-copy.partial");
  QL_RETURN_IF_ERROR(rocks::RemoveAll(bundle));
  if (options_.copy_keys) QL_RETURN_IF_ERROR(options_.copy_keys(copy));
  QL_ASSIGN_OR_RETURN(const auto file, rocks::NewFile::Make(bundle, rocks::kBackupFileMode));
  QL_ASSIGN_OR_RETURN(created_.manifest.key_files,
                      rocks::WriteKeyBundle(options_.copy_keys ? copy : options_.keys_directory,
                                            [&](std::string_view bytes) { return file->Write(bytes); }));
  QL_RETURN_IF_ERROR(rocks::RemoveAll(copy));
  QL_RETURN_IF_ERROR(file->Finish());
  if (created_.manifest.key_files > 0) {
    rocks::Pace pace("copy", 0, 0, progress_);
    QL_RETURN_IF_ERROR(Put(bundle, kKeysPath, pace));
  }
  return rocks::RemoveAll(bundle);
}

// Marks first: no purge meets the new generation without them. Where it comes to nothing they are taken back,
// or they would keep what later generations do continue.
absl::Status Creation::Add() {
  std::vector<uint64_t> left_behind = damaged_;
  if (diverged_) left_behind.push_back(former_->generation);
  std::erase_if(left_behind, [&](uint64_t number) { return kept_.contains(number); });
  absl::Status status;
  for (const uint64_t number : left_behind) status.Update(backups_.Keep(number));
  if (status.ok()) status = backups_.Add(created_.manifest);
  // One that could not be synced may count all the same.
  if (status.ok() || !absl::IsNotFound(backups_.Find(created_.manifest.generation).status())) return status;
  for (const uint64_t number : left_behind) (void)backups_.Release(number);
  return status;
}

absl::StatusOr<CreatedBackup> Creation::Run(const RocksEventStore& store) {
  QL_RETURN_IF_ERROR(backups_.RemoveUnneeded());
  QL_RETURN_IF_ERROR(LearnPool(store.store_id()));
  if (progress_ && !progress_("checkpoint", 0, 1)) return absl::CancelledError("stopped on request");
  created_.manifest.made_at = options_.now;
  created_.manifest.keys_elsewhere = !options_.copy_keys && options_.keys_directory.empty();
  QL_RETURN_IF_ERROR(CopyCheckpoints());
  QL_RETURN_IF_ERROR(
      store.HeadAt(options_.now).status());  // what was recorded by then is stored from here on
  QL_ASSIGN_OR_RETURN(const auto source, Source::Take(store.database()));
  QL_RETURN_IF_ERROR(Describe(source->path()));
  QL_RETURN_IF_ERROR(CopyLog(source->path()));
  QL_RETURN_IF_ERROR(CopyKeys());
  QL_RETURN_IF_ERROR(Add());
  return std::move(created_);
}

}  // namespace

absl::StatusOr<CreatedBackup> CreateBackup(const RocksEventStore& store, BackupDirectory& backups,
                                           const CreateBackupOptions& options,
                                           const BackupProgress& progress) {
  absl::StatusOr<CreatedBackup> created = Creation(backups, options, progress).Run(store);
  // Nobody should have to make room on a disk that a failed backup has filled.
  if (!created.ok()) (void)backups.RemoveUnneeded();
  return created;
}

}  // namespace qinglan::eventstore
