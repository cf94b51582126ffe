// The record of one commit in the log: encoding, and decoding without a copy.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/posting.h"

namespace qinglan::eventstore::rocks {

// The stored bytes of `request` as the commit that ends at `last`. The request is within the limits.
std::string EncodeRecord(const AppendRequest& request, Position last, absl::Time recorded_at);

// Fills of `event` what is stored of it alone, type to payload. DATA_LOSS when `stored` does not parse.
absl::Status DecodeStoredEvent(Position position, std::string_view stored, EventView& event);

// A decoded record. Points into the bytes that it was parsed from. Not thread-safe.
class Record {
 public:
  // DATA_LOSS with the position when the bytes are not what was written at `last`.
  static absl::StatusOr<Record> Parse(Position last, std::string_view value);

  Position first() const { return Position(last_.value - count_ + 1); }
  Position last() const { return last_; }
  uint32_t count() const { return count_; }
  absl::Time recorded_at() const { return recorded_at_; }
  std::string_view commit_id() const { return commit_id_; }
  std::string_view fingerprint() const { return fingerprint_; }
  // What is stored of the whole commit, recorded_at to count.
  std::string_view stored_head() const { return stored_head_; }

  bool Contains(Position position) const { return position >= first() && position <= last_; }
  Appended AsAppended() const { return {first(), last_, recorded_at_, false}; }

  // Fills `event` with the event at `position`, which the record contains. Stepping to a neighbour is cheap
  // both ways.
  absl::Status Event(Position position, EventView& event);

  // Adds what the index must say of each event; `event` is room to decode in.
  absl::Status AddTo(CommitPostings& postings, EventView& event);

  // What is stored of that event, type to payload.
  absl::StatusOr<std::string_view> StoredEvent(Position position);

  // DATA_LOSS unless the events take up the record to its end.
  absl::Status CheckWhole();

 private:
  Record() = default;
  absl::Status FindStart(uint32_t index);

  Position last_;
  uint32_t count_ = 0;
  absl::Time recorded_at_;
  std::string_view stored_head_;
  std::string_view commit_id_;
  std::string_view fingerprint_;
  std::string_view actor_;
  std::string_view correlation_id_;
  std::string_view causation_id_;
  std::string_view events_;
  absl::InlinedVector<size_t, 4> starts_;  // in events_, of the events found so far
};

}  // namespace qinglan::eventstore::rocks
