// A large log that is like a small one: its records over and over, every time of other people, organisations
// and things, so that folds find in them what they find in real ones.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::bench {

// Thread-safe.
class Likeness {
 public:
  static constexpr uint64_t kEventsMax = 2'000'000;  // of the small log, which is kept in memory

  // Reads the log below a data directory. NOT_FOUND when there is none; FAILED_PRECONDITION when it is empty
  // or larger than kEventsMax; the errors of the store.
  static absl::StatusOr<Likeness> Of(const std::string& data);

  uint64_t events() const { return events_; }
  uint64_t commits() const { return commits_.size(); }

  // A commit of the small log as it is in its copy of this number: whatever looks like an id of ours is
  // another one in every copy, and the same one throughout a copy.
  eventstore::AppendRequest Commit(uint64_t commit, uint64_t copy) const;

 private:
  Likeness() = default;

  std::vector<eventstore::AppendRequest> commits_;
  uint64_t events_ = 0;
};

}  // namespace qinglan::bench
