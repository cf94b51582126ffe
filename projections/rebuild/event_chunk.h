// Part of a rebuild: events copied out of the log on their way from the thread that reads to those that fold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"

namespace qinglan::projections {

// Not thread-safe. Its memory is kept from filling to filling.
class EventChunk {
 public:
  static constexpr size_t kEventsMax = 2048;
  static constexpr size_t kBytesMax = size_t{1} << 20;

  EventChunk();
  EventChunk(const EventChunk&) = delete;

  void Clear();
  // False when it is full; an empty one takes any event.
  bool Add(const eventstore::EventView& event);
  size_t size() const { return size_; }
  // Valid until the next Clear().
  const eventstore::EventView& operator[](size_t i) const { return events_[i]; }

 private:
  std::string_view Keep(std::string_view text);
  // What neighbours share is kept once.
  std::string_view KeepShared(std::string_view text, std::string_view eventstore::EventView::* field);

  std::string bytes_;  // never grows while views point into it
  std::vector<eventstore::EventView> events_;
  size_t size_ = 0;
};

}  // namespace qinglan::projections
