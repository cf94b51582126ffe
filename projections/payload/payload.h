// A stored event's payload, as a fold may take it.
#pragma once

#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "projections/payload/day_fields.h"

namespace qinglan::projections {

// False when the bytes are no Payload, or name a day that there is not.
template <class Payload>
bool ReadPayload(std::string_view bytes, Payload& payload) {
  static const DayFields& days = DayFields::Of(Payload::descriptor());
  return payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
         days.FirstBroken(payload).empty();
}

// What keeps the event from being folded, after "the payload": "does not parse as qinglan.…" or "names no day
// in facts.date of qinglan.…".
std::string Fault(const eventstore::EventView& event);

}  // namespace qinglan::projections
