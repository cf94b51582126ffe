#include "projections/progression/time/days.h"

#include "eventstore/text.h"

namespace qinglan::progression {

std::optional<absl::CivilDay> ParseDay(std::string_view iso_date) {
  absl::CivilDay day;
  if (iso_date.size() != 10 || !absl::ParseCivilTime(Absl(iso_date), &day)) return std::nullopt;
  if (IsoDay(day) != iso_date) return std::nullopt;  // 2026-02-30 is read as a day of March
  return day;
}

std::string IsoDay(absl::CivilDay day) {
  // Asked for with every event that is folded, and absl formats by way of a time zone.
  if (day.year() < 1000 || day.year() > 9999) return absl::FormatCivilTime(day);
  const auto digit = [](int64_t value) { return static_cast<char>('0' + value % 10); };
  std::string text("0000-00-00");
  int64_t year = day.year();
  for (size_t i = 4; i-- > 0; year /= 10) text[i] = digit(year);
  text[5] = digit(day.month() / 10);
  text[6] = digit(day.month());
  text[8] = digit(day.day() / 10);
  text[9] = digit(day.day());
  return text;
}

absl::CivilDay AddYears(absl::CivilDay day, int years) {
  return absl::CivilDay(day.year() + years, day.month(), day.day());
}

}  // namespace qinglan::progression
