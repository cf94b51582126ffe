#include "eventstore/rocks/index/disk_iterators.h"

#include <utility>

namespace qinglan::eventstore::rocks {

std::unique_ptr<rocksdb::Iterator> DiskIterators::Take() {
  {
    const absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<rocksdb::Iterator> iterator = std::move(idle_.back());
      idle_.pop_back();
      return iterator;
    }
  }
  rocksdb::ReadOptions read = CheckedRead();
  read.prefix_same_as_start = true;  // lets the term's filter answer for files that do not hold it
  return std::unique_ptr<rocksdb::Iterator>(database_.db()->NewIterator(read, database_.index()));
}

void DiskIterators::Return(std::unique_ptr<rocksdb::Iterator> iterator) {
  if (!iterator->status().ok()) return;  // an error of one reading is not the next one's
  const absl::MutexLock lock(&mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(iterator));
}

}  // namespace qinglan::eventstore::rocks
