// Steps through the records of the log.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <optional>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/read/read_ahead.h"

namespace qinglan::eventstore::rocks {

// Sees the log as it was when the cursor was made. The record is valid until the next move. Not thread-safe.
// DATA_LOSS, with the position, for a record that is damaged or not where it must be.
class LogCursor {
 public:
  // Whoever is going to read a long way says so: it is read ahead, and past the cache, which is for others;
  // and once it has gone some way forwards, on a thread of its own.
  enum class Way { kShort, kLong };
  explicit LogCursor(const Database& database, Way way = Way::kShort);

  // To the record that contains `position`, which must be in the log.
  absl::Status SeekContaining(Position position);
  // To the neighbour; past either end of the log, valid() is false. On a long way only forwards, and no seek
  // after that.
  absl::Status Next();
  absl::Status Prev();
  // To the end of the log.
  absl::Status SeekToLast();

  bool valid() const { return record_.has_value(); }
  Record& record() { return *record_; }

 private:
  // Reads the record under the iterator; `expected` is where damage would be when there is none.
  absl::Status Load(Position expected);
  absl::Status Take(Position expected, std::string_view key, std::string_view value);
  absl::Status NoneAt(Position expected, const rocksdb::Status& why);
  // The next record; from some way on it is read ahead.
  absl::Status Step(Position expected);

  const Way way_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::unique_ptr<ReadAhead> ahead_;  // instead of the iterator
  size_t steps_ = 0;
  std::optional<Record> record_;
};

}  // namespace qinglan::eventstore::rocks
