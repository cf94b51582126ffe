#include "projections/rebuild/event_chunk.h"

namespace qinglan::projections {

using eventstore::EventView;

EventChunk::EventChunk() : events_(kEventsMax) { bytes_.reserve(kBytesMax); }

void EventChunk::Clear() {
  bytes_.clear();
  size_ = 0;
}

bool EventChunk::Add(const EventView& event) {
  size_t needed = event.commit_id.size() + event.type.size() + event.actor.size() + event.payload.size() +
                  event.correlation_id.size() + event.causation_id.size();
  for (const std::string_view tag : event.tags) needed += tag.size();
  if (size_ == kEventsMax) return false;
  if (bytes_.size() + needed > bytes_.capacity()) {
    if (size_ > 0) return false;
    bytes_.reserve(needed);
  }
  EventView& kept = events_[size_];
  kept.position = event.position;
  kept.index_in_commit = event.index_in_commit;
  kept.occurred_on = event.occurred_on;
  kept.recorded_at = event.recorded_at;
  kept.commit_id = KeepShared(event.commit_id, &EventView::commit_id);
  kept.type = KeepShared(event.type, &EventView::type);
  kept.actor = KeepShared(event.actor, &EventView::actor);
  kept.correlation_id = KeepShared(event.correlation_id, &EventView::correlation_id);
  kept.causation_id = KeepShared(event.causation_id, &EventView::causation_id);
  kept.payload = Keep(event.payload);
  kept.tags.clear();
  for (const std::string_view tag : event.tags) kept.tags.push_back(Keep(tag));
  ++size_;
  return true;
}

std::string_view EventChunk::Keep(std::string_view text) {
  const size_t at = bytes_.size();
  bytes_.append(text);
  return std::string_view(bytes_).substr(at);
}

std::string_view EventChunk::KeepShared(std::string_view text, std::string_view EventView::* field) {
  if (size_ > 0 && events_[size_ - 1].*field == text) return events_[size_ - 1].*field;
  return Keep(text);
}

}  // namespace qinglan::projections
