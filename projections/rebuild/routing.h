// Who wants which event: asked once an event, whatever the number of views.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <string>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"

namespace qinglan::projections {

// Thread-safe once made.
class Routing {
 public:
  Routing() = default;
  explicit Routing(std::vector<eventstore::Query> interests);

  // Calls `take` with the place, in the list that it was made from, of every query that the event matches.
  template <class Take>
  void Route(const eventstore::EventView& event, Take take) const {
    const std::vector<size_t>& asked = Named(event);
    for (const size_t place : asked)
      if (interests_[place].all || interests_[place].query.Matches(event)) take(place);
  }

 private:
  struct Interest {
    eventstore::Query query;
    bool all = false;  // matches whatever there is
  };
  // The places of those whose query names the event's type, or some of whose items name none.
  const std::vector<size_t>& Named(const eventstore::EventView& event) const;

  std::vector<Interest> interests_;
  absl::flat_hash_map<std::string, std::vector<size_t>> by_type_;
  std::vector<size_t> any_type_;  // in by_type_'s lists, too
};

}  // namespace qinglan::projections
