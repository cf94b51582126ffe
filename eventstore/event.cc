#include "eventstore/event.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/query.h"

namespace qinglan::eventstore {

bool EventView::HasTag(std::string_view tag) const {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::string EventView::Id() const {
  // Asked for every piece of every dossier.
  const fmt::format_int index(index_in_commit);
  std::string id;
  id.reserve(commit_id.size() + 1 + index.size());
  id.append(commit_id).push_back('#');
  id.append(index.data(), index.size());
  return id;
}

EventView Event::View() const {
  EventView view{position,    commit_id, index_in_commit, type,         {},     occurred_on,
                 recorded_at, actor,     correlation_id,  causation_id, payload};
  view.tags.assign(tags.begin(), tags.end());
  return view;
}

Event Copy(const EventView& view) {
  return Event{view.position,
               std::string(view.commit_id),
               view.index_in_commit,
               std::string(view.type),
               std::vector<std::string>(view.tags.begin(), view.tags.end()),
               view.occurred_on,
               view.recorded_at,
               std::string(view.actor),
               std::string(view.correlation_id),
               std::string(view.causation_id),
               std::string(view.payload)};
}

std::string_view TagValue(const EventView& event, std::string_view prefix) {
  for (std::string_view tag : event.tags) {
    if (tag.size() > prefix.size() && tag[prefix.size()] == ':' && tag.substr(0, prefix.size()) == prefix) {
      return tag.substr(prefix.size() + 1);
    }
  }
  return {};
}

bool QueryItem::Matches(const EventView& event) const {
  if (!types.empty() && std::find(types.begin(), types.end(), event.type) == types.end()) return false;
  return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) { return event.HasTag(tag); });
}

bool Query::Matches(const EventView& event) const {
  return std::any_of(items.begin(), items.end(), [&](const QueryItem& item) { return item.Matches(event); });
}

bool Query::Add(const Query& other) {
  const size_t before = items.size();
  for (const QueryItem& item : other.items) {
    if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
  }
  return items.size() > before;
}

}  // namespace qinglan::eventstore
