// Inside the view store: an open column family, which keeps its database open; a moment of the database,
// which several snapshots may share.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rocksdb/db.h>
#include <rocksdb/slice.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "projections/view_store/view_id.h"

namespace qinglan::projections {

inline std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// OK, DATA_LOSS or UNAVAILABLE, saying what was tried.
absl::Status FromRocks(const rocksdb::Status& status, std::string_view what);

class ViewColumn {
 public:
  ViewColumn(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* handle)
      : db_(std::move(db)), handle_(handle) {}
  ~ViewColumn() { db_->DestroyColumnFamilyHandle(handle_); }
  ViewColumn(const ViewColumn&) = delete;
  ViewColumn& operator=(const ViewColumn&) = delete;

  rocksdb::DB* db() const { return db_.get(); }
  const std::shared_ptr<rocksdb::DB>& shared_db() const { return db_; }
  rocksdb::ColumnFamilyHandle* handle() const { return handle_; }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& stored_key,
                                                 const rocksdb::Snapshot* snapshot) const;
  absl::StatusOr<Checkpoint> ReadCheckpoint(const rocksdb::Snapshot* snapshot) const;

 private:
  std::shared_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* handle_;
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
