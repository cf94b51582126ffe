#include "eventstore/rocks/compact.h"

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {

absl::Status CompactWhole(const Database& database) {
  rocksdb::CompactRangeOptions whole;
  whole.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* family : {database.log(), database.index()}) {
    QL_RETURN_IF_ERROR(FromRocks(database.db()->CompactRange(whole, family, nullptr, nullptr), "compacting"));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
