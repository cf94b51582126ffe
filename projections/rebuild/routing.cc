#include "projections/rebuild/routing.h"

#include <algorithm>
#include <utility>

#include "eventstore/text.h"

namespace qinglan::projections {

using eventstore::QueryItem;

Routing::Routing(std::vector<eventstore::Query> interests) {
  for (eventstore::Query& query : interests) {
    const auto takes_all = [](const QueryItem& item) { return item.types.empty() && item.tags.empty(); };
    const bool all = std::any_of(query.items.begin(), query.items.end(), takes_all);
    interests_.push_back({std::move(query), all});
  }
  for (size_t place = 0; place < interests_.size(); ++place) {
    const auto& items = interests_[place].query.items;
    const auto names_none = [](const QueryItem& item) { return item.types.empty(); };
    if (std::any_of(items.begin(), items.end(), names_none)) any_type_.push_back(place);
    for (const QueryItem& item : items)
      for (const std::string& type : item.types) by_type_[type].push_back(place);
  }
  for (auto& [type, places] : by_type_) {
    places.insert(places.end(), any_type_.begin(), any_type_.end());
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
  }
}

const std::vector<size_t>& Routing::Named(const eventstore::EventView& event) const {
  const auto named = by_type_.find(Absl(event.type));
  return named == by_type_.end() ? any_type_ : named->second;
}

}  // namespace qinglan::projections
