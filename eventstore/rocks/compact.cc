#include "eventstore/rocks/compact.h"

#include <vector>

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {

absl::Status CompactWhole(const Database& database) {
  // All of them: a write-ahead log stays for as long as one family needs it.
  const std::vector<rocksdb::ColumnFamilyHandle*>& families = database.families();
  QL_RETURN_IF_ERROR(FromRocks(database.db()->Flush(rocksdb::FlushOptions(), families), "compacting"));
  rocksdb::CompactRangeOptions whole;
  whole.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    QL_RETURN_IF_ERROR(FromRocks(database.db()->CompactRange(whole, family, nullptr, nullptr), "compacting"));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
