// Which build of which view, and how far it has come.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/event.h"

namespace qinglan::projections {

// One making of a view from the log. The version is the code's; the generation counts how often that code has
// been asked to make the view afresh, from 1.
struct ViewId {
  std::string name;  // lower_snake_case
  uint32_t version = 0;
  uint32_t generation = 1;

  std::string ToString() const;  // "roster.v3"; "roster.v3.g2" from the second generation on
  // Nothing when the text is not what ToString() gives for some build.
  static std::optional<ViewId> Parse(std::string_view text);
  auto operator<=>(const ViewId&) const = default;
};

// How far a build has come. The last event that it applied is kept by name as well, so that a build is never
// continued over a log that tells another story.
struct Checkpoint {
  eventstore::Position position;      // every event up to here is in the rows
  eventstore::Position last_applied;  // 0: none yet
  std::string last_event_id;

  bool operator==(const Checkpoint&) const = default;
};

}  // namespace qinglan::projections
