// Iterators over the index on disk, kept for the next reader: making one costs more than a look-up in it.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <vector>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

// Thread-safe. Every iterator of a pool sees at least what the disk held when the pool was made. The database
// must outlive it.
class DiskIterators {
 public:
  static constexpr size_t kIdleMax = 32;

  explicit DiskIterators(const Database& database) : database_(database) {}

  std::unique_ptr<rocksdb::Iterator> Take();
  void Return(std::unique_ptr<rocksdb::Iterator> iterator);

 private:
  const Database& database_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<rocksdb::Iterator>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::eventstore::rocks
