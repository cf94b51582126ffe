// Steps through the records of the log.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <optional>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/record.h"

namespace qinglan::eventstore::rocks {

// Sees the log as it was when the cursor was made. The record is valid until the next move. Not thread-safe.
// DATA_LOSS, with the position, for a record that is damaged or not where it must be.
class LogCursor {
 public:
  // Whoever is going to read a long way says so: it is read ahead, and past the cache, which is for others.
  enum class Way { kShort, kLong };
  explicit LogCursor(const Database& database, Way way = Way::kShort);

  // To the record that contains `position`, which must be in the log.
  absl::Status SeekContaining(Position position);
  // To the neighbour; past either end of the log, valid() is false.
  absl::Status Next();
  absl::Status Prev();
  // To the end of the log.
  absl::Status SeekToLast();

  bool valid() const { return record_.has_value(); }
  Record& record() { return *record_; }

 private:
  // Reads the record under the iterator; `expected` is where damage would be when there is none.
  absl::Status Load(Position expected);

  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::optional<Record> record_;
};

}  // namespace qinglan::eventstore::rocks
