#include "projections/progression/time/days.h"

#include "eventstore/text.h"

namespace qinglan::progression {

std::optional<absl::CivilDay> ParseDay(std::string_view iso_date) {
  absl::CivilDay day;
  if (iso_date.size() != 10 || !absl::ParseCivilTime(Absl(iso_date), &day)) return std::nullopt;
  if (IsoDay(day) != iso_date) return std::nullopt;  // 2026-02-30 is read as a day of March
  return day;
}

std::string IsoDay(absl::CivilDay day) { return absl::FormatCivilTime(day); }

absl::CivilDay AddYears(absl::CivilDay day, int years) {
  return absl::CivilDay(day.year() + years, day.month(), day.day());
}

}  // namespace qinglan::progression
