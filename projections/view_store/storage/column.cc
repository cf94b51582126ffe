#include "projections/view_store/storage/column.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/check.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {
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

absl::StatusOr<eventstore::Position> ViewColumn::Reached() const {
  if (reached_ == kNotRead) {
    QL_ASSIGN_OR_RETURN(const Checkpoint stored, ReadCheckpoint(nullptr));
    Reach(stored.position);
  }
  return eventstore::Position(reached_);
}

}  // namespace qinglan::projections
