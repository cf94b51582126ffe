// Fetches single records, some at a time: together they cost RocksDB much less than one by one.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <rocksdb/slice.h>

#include <memory>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/record.h"

namespace qinglan::eventstore::rocks {

// Not thread-safe.
class Records {
 public:
  explicit Records(const Database& database) : database_(database) {}

  // Whether the blocks that records are read from stay in the cache.
  enum class Blocks { kKept, kNotKept };
  // Fetches the records of the commits that end at these positions, which are ascending.
  void Fetch(absl::Span<const Position> lasts, Blocks blocks = Blocks::kKept);

  size_t size() const { return lasts_.size(); }  // of the last Fetch()

  // The record that was asked for in place `i`, valid until the next Fetch(). DATA_LOSS with the position
  // when it is damaged or not there.
  absl::StatusOr<Record> At(size_t i) const;

 private:
  const Database& database_;
  std::vector<Position> lasts_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
};

}  // namespace qinglan::eventstore::rocks
