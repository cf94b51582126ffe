// What the log holds: events, in commits, at positions. The store knows bytes, types, tags and positions;
// what an event means is the business of the floors above.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::eventstore {

// An event's place in the log: gapless, from 1. Position 0 is "before the first event".
struct Position {
  uint64_t value = 0;

  constexpr Position() = default;
  constexpr explicit Position(uint64_t v) : value(v) {}
  constexpr Position Next() const { return Position(value + 1); }
  constexpr auto operator<=>(const Position&) const = default;
};

// An event on its way into the log.
struct NewEvent {
  std::string type;  // what happened; 1 to kTypeBytesMax bytes, e.g. a protobuf message's full name
  std::vector<std::string> tags;  // whom and what it concerns: opaque ids ("teacher:01J..."), never personal
                                  // data, because tags are never sealed; at most kTagsPerEventMax of 1 to
                                  // kTagBytesMax bytes, no tag twice
  absl::CivilDay occurred_on;  // the day it was true in the world, which may be long before it was recorded
  std::string payload;         // any bytes, at most kPayloadBytesMax
};

// An event of the log as a reader is shown it. Every view in it points into the store's memory and is valid
// only inside the call that it was handed to; Copy() keeps it.
struct EventView {
  Position position;
  std::string_view commit_id;
  uint32_t index_in_commit = 0;  // 0 for the first event of its commit
  std::string_view type;
  absl::InlinedVector<std::string_view, 8> tags;
  absl::CivilDay occurred_on;
  absl::Time recorded_at;  // set by the store, in microseconds, never less than that of an earlier position
  std::string_view actor;
  std::string_view correlation_id;
  std::string_view causation_id;
  std::string_view payload;

  bool HasTag(std::string_view tag) const;
  // The event's id: its commit's id and its place there ("<commit_id>#<index>"). Unique and for ever.
  std::string Id() const;
};

// An event that owns its bytes.
struct Event {
  Position position;
  std::string commit_id;
  uint32_t index_in_commit = 0;
  std::string type;
  std::vector<std::string> tags;
  absl::CivilDay occurred_on;
  absl::Time recorded_at;
  std::string actor;
  std::string correlation_id;
  std::string causation_id;
  std::string payload;

  EventView View() const;
};

Event Copy(const EventView& view);

// The first value that follows `prefix` + ":" among the tags, or empty. TagValue({"teacher:01J"}, "teacher")
// is "01J".
std::string_view TagValue(const EventView& event, std::string_view prefix);

}  // namespace qinglan::eventstore
