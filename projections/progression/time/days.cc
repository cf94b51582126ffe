#include "projections/progression/time/days.h"

namespace qinglan::progression {

namespace {

// The number that `size` digits from `at` on are; negative when they are none.
int Number(std::string_view text, size_t at, size_t size) {
  int number = 0;
  for (const char c : text.substr(at, size)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

constexpr int kYearMin = 1000;  // four digits, as many as a year is written with

}  // namespace

std::optional<absl::CivilDay> ParseDay(std::string_view iso_date) {
  // By hand: every event is asked, and absl parses by way of a format.
  if (iso_date.size() != 10 || iso_date[4] != '-' || iso_date[7] != '-') return std::nullopt;
  const int year = Number(iso_date, 0, 4);
  const int month = Number(iso_date, 5, 2);
  const int day_of_month = Number(iso_date, 8, 2);
  if (year < kYearMin || month < 0 || day_of_month < 0) return std::nullopt;
  const absl::CivilDay day(year, month, day_of_month);
  // 2026-02-30 is taken for a day of March.
  if (day.month() != month || day.day() != day_of_month) return std::nullopt;
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
