// Which events: an OR of items, each an AND of tags and an OR of types (the vocabulary of Dynamic Consistency
// Boundaries).
#pragma once

#include <string>
#include <vector>

#include "eventstore/event.h"

namespace qinglan::eventstore {

// Matches an event whose type is one of `types` (none listed: any type) and that bears all of `tags`.
struct QueryItem {
  std::vector<std::string> types;
  std::vector<std::string> tags;

  bool Matches(const EventView& event) const;
  bool operator==(const QueryItem&) const = default;
};

// Matches what any of its items matches; with no items it matches nothing. At most kQueryItemsMax items.
struct Query {
  std::vector<QueryItem> items;

  static Query All() { return Query{{QueryItem{}}}; }
  static Query Nothing() { return Query{}; }

  bool Matches(const EventView& event) const;
  // Adds the items of `other` that are not here yet; true when anything was added.
  bool Add(const Query& other);
  bool operator==(const Query&) const = default;
};

}  // namespace qinglan::eventstore
