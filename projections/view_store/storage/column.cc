#include "projections/view_store/storage/column.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/table_properties.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "projections/view_store/storage/format.h"
#include "projections/view_store/storage/threads.h"

namespace qinglan::projections {
namespace {

// Files by name, together where their ranges of keys overlap.
std::vector<std::vector<std::string>> GroupsOfFiles(const rocksdb::ColumnFamilyMetaData& build) {
  std::vector<const rocksdb::SstFileMetaData*> files;
  for (const rocksdb::LevelMetaData& level : build.levels)
    for (const rocksdb::SstFileMetaData& file : level.files) files.push_back(&file);
  std::sort(files.begin(), files.end(),
            [](const auto* a, const auto* b) { return a->smallestkey < b->smallestkey; });
  std::vector<std::vector<std::string>> groups;
  std::string_view last;  // key of the group
  for (const rocksdb::SstFileMetaData* file : files) {
    if (groups.empty() || file->smallestkey > last) groups.emplace_back();
    groups.back().push_back(file->name);
    last = std::max<std::string_view>(last, file->largestkey);
  }
  return groups;
}

}  // namespace

absl::Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = fmt::format("views: {}: {}", what, status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

absl::StatusOr<std::optional<std::string>> ViewColumn::Get(const std::string& stored_key,
                                                           const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  std::string value;
  const rocksdb::Status status = db_->Get(read, handle_, stored_key, &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  QL_RETURN_IF_ERROR(FromRocks(status, "get"));
  return std::optional<std::string>(std::move(value));
}

absl::StatusOr<std::optional<std::string>> ViewColumn::GetRow(std::string_view key,
                                                              const rocksdb::Snapshot* snapshot) const {
  QL_ASSIGN_OR_RETURN(std::optional<std::string> row, Get(RowKey(key), snapshot));
  if (row.has_value() && fold_ != nullptr) fold_(key, *row);
  return row;
}

std::string_view ViewColumn::Folded(std::string_view key, std::string_view value, std::string& kept) const {
  if (fold_ == nullptr) return value;
  kept.assign(value);
  fold_(key, kept);
  return kept;
}

std::string ViewColumn::Appended(std::string_view key, std::string row, std::string_view bytes) const {
  row += bytes;
  Fold(key, row);
  return row;
}

absl::StatusOr<Checkpoint> ViewColumn::ReadCheckpoint(const rocksdb::Snapshot* snapshot) const {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> stored, Get(kCheckpointKey, snapshot));
  if (!stored.has_value()) return Checkpoint{};
  return DecodeCheckpoint(*stored);
}

absl::Status ViewColumn::LeaveFiles(bool as_they_are) const {
  if (files_left_.exchange(as_they_are) == as_they_are) return absl::OkStatus();
  // Not kept over a reopening, where the options are given anew.
  return FromRocks(db_->SetOptions(handle_, {{"disable_auto_compactions", as_they_are ? "true" : "false"}}),
                   "files as they are");
}

absl::StatusOr<bool> ViewColumn::IsMostlyPieces() const {
  rocksdb::TablePropertiesCollection files;
  QL_RETURN_IF_ERROR(FromRocks(db_->GetPropertiesOfAllTables(handle_, &files), "files"));
  uint64_t all = 0, with_pieces = 0;
  for (const auto& [name, file] : files) {
    all += file->raw_value_size;
    if (file->num_merge_operands > 0) with_pieces += file->raw_value_size;
  }
  return with_pieces > all / 2;
}

absl::Status ViewColumn::PutTogether(size_t threads) const {
  QL_ASSIGN_OR_RETURN(const bool worth_it, IsMostlyPieces());
  if (!worth_it) return absl::OkStatus();
  // Not CompactRange(), which would carry what lies high up from level to level; and RocksDB 7.8 does not
  // split what it is asked to do in one step among threads.
  rocksdb::ColumnFamilyMetaData build;
  db_->GetColumnFamilyMetaData(handle_, &build);
  rocksdb::CompactionOptions once;
  once.compression = rocksdb::kDisableCompressionOption;  // as everywhere
  once.output_file_size_limit = db_->GetOptions(handle_).target_file_size_base;
  const int lowest = static_cast<int>(build.levels.size()) - 1;
  const std::vector<std::vector<std::string>> groups = GroupsOfFiles(build);
  return EachOnSomeThread(groups.size(), threads, [&](size_t i) {
    const rocksdb::Status done = db_->CompactFiles(once, handle_, groups[i], lowest);
    // The database has begun with it by itself, or was through with some of the files meanwhile.
    if (done.IsAborted() || done.IsInvalidArgument()) return absl::OkStatus();
    return FromRocks(done, "put rows together");
  });
}

absl::StatusOr<eventstore::Position> ViewColumn::Reached() const {
  if (reached_ == kNotRead) {
    QL_ASSIGN_OR_RETURN(const Checkpoint stored, ReadCheckpoint(nullptr));
    Reach(stored.position);
  }
  return eventstore::Position(reached_);
}

}  // namespace qinglan::projections
