// Inside the view store: an open column family, which keeps its database open; a moment of the database,
// which several snapshots may share.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rocksdb/db.h>
#include <rocksdb/slice.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "projections/projection.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

inline std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// OK, DATA_LOSS or UNAVAILABLE, saying what was tried.
absl::Status FromRocks(const rocksdb::Status& status, std::string_view what);

class ViewColumn {
  static constexpr uint64_t kNotRead = UINT64_MAX;

 public:
  ViewColumn(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* handle, RowFold row_fold)
      : db_(std::move(db)), handle_(handle), fold_(row_fold) {}
  ~ViewColumn() { db_->DestroyColumnFamilyHandle(handle_); }
  ViewColumn(const ViewColumn&) = delete;
  ViewColumn& operator=(const ViewColumn&) = delete;

  rocksdb::DB* db() const { return db_.get(); }
  const std::shared_ptr<rocksdb::DB>& shared_db() const { return db_; }
  rocksdb::ColumnFamilyHandle* handle() const { return handle_; }
  RowFold fold() const { return fold_; }  // of rows that are appended to; null: there is none

  absl::StatusOr<std::optional<std::string>> Get(const std::string& stored_key,
                                                 const rocksdb::Snapshot* snapshot) const;
  // Folded, also where a program without the code put pieces together and did not.
  absl::StatusOr<std::optional<std::string>> GetRow(std::string_view key,
                                                    const rocksdb::Snapshot* snapshot) const;
  // A stored value as readers see it, for as long as `kept` and the value stay as they are.
  std::string_view Folded(std::string_view key, std::string_view value, std::string& kept) const;
  void Fold(std::string_view key, std::string& row) const {
    if (fold_ != nullptr) fold_(key, row);
  }
  // A row with these bytes at its end, folded.
  std::string Appended(std::string_view key, std::string row, std::string_view bytes) const;
  absl::StatusOr<Checkpoint> ReadCheckpoint(const rocksdb::Snapshot* snapshot) const;

  // How far the build has come, without reading it at every commit. Whoever commits tells; one thread at a
  // time does.
  absl::StatusOr<eventstore::Position> Reached() const;
  void Reach(eventstore::Position position) const { reached_ = position.value; }

 private:
  std::shared_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* handle_;
  const RowFold fold_;
  mutable std::atomic<uint64_t> reached_ = kNotRead;
};

class SharedMoment {
 public:
  explicit SharedMoment(std::shared_ptr<rocksdb::DB> db)
      : db_(std::move(db)), snapshot_(db_->GetSnapshot()) {}
  ~SharedMoment() { db_->ReleaseSnapshot(snapshot_); }
  SharedMoment(const SharedMoment&) = delete;
  SharedMoment& operator=(const SharedMoment&) = delete;

  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  std::shared_ptr<rocksdb::DB> db_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace qinglan::projections
