// Inside the view store: the RocksDB with all that is open in it.
#pragma once

#include <absl/status/statusor.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "projections/view_store/storage/column.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

struct DatabaseOptions {
  std::string directory;
  size_t block_cache_bytes = 0;
  size_t write_buffer_bytes = 0;
  RowFolds folds;
};

// Not thread-safe.
struct Database {
  std::shared_ptr<rocksdb::DB> db;
  std::unique_ptr<ViewColumn> default_column;
  rocksdb::Options options;  // of the database, and of every column but for what it folds
  RowFolds folds;
  std::map<ViewId, std::shared_ptr<ViewColumn>> columns;
  // Of builds that are being made, what was stored of them so far; see pieces.h. Such a build has no rows
  // yet.
  std::map<ViewId, std::shared_ptr<ViewColumn>> pieces;
  std::map<std::string, ViewId> answering;         // by the view's name
  std::shared_ptr<std::atomic<bool>> has_stopped;  // RocksDB refuses writes until the database is opened anew

  // UNAVAILABLE, DATA_LOSS. Clears away what a crash left of files on their way in, and of pieces that have
  // become rows.
  static absl::StatusOr<Database> Open(const DatabaseOptions& options);
  // Null: this program has none for the build.
  RowFold FoldOf(const ViewId& view) const;
  rocksdb::ColumnFamilyOptions OptionsOf(const ViewId& view) const;
  // The same for the build's pieces, which the database leaves as they are, however many there come to be.
  rocksdb::ColumnFamilyOptions OptionsOfPieces(const ViewId& view) const;
  // The family of the build's pieces, made when there is none.
  absl::StatusOr<std::shared_ptr<ViewColumn>> MakePieces(const ViewId& view);
  absl::Status DropPieces(const ViewId& view);  // if there are any
  // Closes when nobody else uses any of it; false, and still open, when somebody does.
  bool TryClose();
};

}  // namespace qinglan::projections
