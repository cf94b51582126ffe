// The events that the benchmarks store: made up, deterministic, shaped like the real ones. An event is a
// function of the seed and its number, so that a reader knows what a log holds without being told.
//
//   tag 1 "teacher:<26>"  each is borne by 20 events, scattered over `people` x 20 numbers
//   tag 2 "session:<26>"  each is borne by 32 events within 1,024 numbers
//   tag 3 "school:<3>"    64 of them; school 000 is borne by every second event
//   tag 4 and on          "topic<k>:<26>" of 100,000 each
//   type                  one of 12 names
//   payload               half identifiers and raw digits, half words: it compresses about as records do
//
// A commit bears besides what a command gives it: a UUID as its id, 32 bytes of digest, an actor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eventstore/event_store.h"

namespace qinglan::bench {

inline constexpr uint64_t kEventsOfATeacher = 20;
inline constexpr int kEventBytesMin = 150;
inline constexpr int kEventBytesMax = 64 * 1024;
inline constexpr int kTagsMax = 8;

struct WorkloadOptions {
  uint64_t seed = 1;
  int event_bytes = 250;  // of an event's type, tags and payload together, unless its tags alone are longer
  int tags = 3;           // 1 to kTagsMax
  uint64_t people = 50'000;

  bool operator==(const WorkloadOptions&) const = default;
};

// Thread-safe.
class Workload {
 public:
  explicit Workload(const WorkloadOptions& options) : options_(options) {}

  // Events are numbered from 0.
  eventstore::NewEvent Event(uint64_t number) const;

  // A commit of the events from `first` on. `run` is any number that no other run over the same log has: it
  // makes the commit's id another one. With `after` the commit has the condition that a command has: nobody
  // has recorded anything of the first event's teacher since.
  eventstore::AppendRequest Commit(uint64_t run, uint64_t first, int events,
                                   std::optional<eventstore::Position> after) const;

  std::string Teacher(uint64_t number) const;  // the tag of that event
  std::string Session(uint64_t number) const;
  std::string School(uint64_t number) const;
  static std::string LargestSchool();
  std::string Type(uint64_t number) const;

  const WorkloadOptions& options() const { return options_; }

 private:
  uint64_t Draw(uint64_t kind, uint64_t number) const;

  WorkloadOptions options_;
};

// Whether a log whose first event is `event` was made here: nothing else records such types.
bool IsOurs(const eventstore::EventView& event);

}  // namespace qinglan::bench
