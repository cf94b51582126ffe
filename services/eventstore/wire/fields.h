// Single fields of messages, and days and times as they are sent.
#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "services/eventstore/wire/wire.h"

namespace qinglan::eventstore::remote {

inline constexpr absl::CivilDay kEpochDay(1970, 1, 1);

inline void AddItem(uint32_t field, std::string_view bytes, std::string& out) {
  Grow(out, ItemBytes(bytes.size())).Item(field, bytes);
}
inline void AddText(uint32_t field, std::string_view text, std::string& out) {
  if (!text.empty()) AddItem(field, text, out);
}
inline void AddNumber(uint32_t field, uint64_t value, std::string& out) {
  if (value != 0) Grow(out, NumberBytes(value)).NumberAlways(field, value);
}
inline void AddNumberAlways(uint32_t field, uint64_t value, std::string& out) {
  Grow(out, 1 + VarintBytes(value)).NumberAlways(field, value);
}

// A day past what 32 bits hold is as wrong as the last one that they do: the store's limits are far within.
inline uint64_t DayNumber(absl::CivilDay day) {
  const absl::civil_diff_t days = day - kEpochDay;
  const bool fits =
      days >= std::numeric_limits<int32_t>::min() && days <= std::numeric_limits<int32_t>::max();
  return ZigZag(fits ? days : std::numeric_limits<int32_t>::max());
}
inline absl::CivilDay DayOf(uint64_t number) {
  return kEpochDay + UnZigZag(number & std::numeric_limits<uint32_t>::max());
}

inline uint64_t MicrosOf(absl::Time time) { return static_cast<uint64_t>(absl::ToUnixMicros(time)); }
inline absl::Time TimeOf(uint64_t micros) { return absl::FromUnixMicros(static_cast<int64_t>(micros)); }

}  // namespace qinglan::eventstore::remote
