// Days as the dossier and the policy write them.
#pragma once

#include <absl/time/civil_time.h>

#include <optional>
#include <string>
#include <string_view>

namespace qinglan::progression {

// Days from `from` to `to`, both included; empty when to < from.
struct Span {
  absl::CivilDay from;
  absl::CivilDay to;

  bool Contains(absl::CivilDay day) const { return from <= day && day <= to; }
  int64_t Days() const { return to < from ? 0 : to - from + 1; }
  bool operator==(const Span&) const = default;
};

// nullopt for an empty text and for what is no date.
std::optional<absl::CivilDay> ParseDay(std::string_view iso_date);
std::string IsoDay(absl::CivilDay day);

// The same day `years` later (or earlier); 29 February becomes 1 March in a year without it.
absl::CivilDay AddYears(absl::CivilDay day, int years);

}  // namespace qinglan::progression
