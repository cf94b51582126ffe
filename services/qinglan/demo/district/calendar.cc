#include "services/qinglan/demo/district/calendar.h"

namespace qinglan::demo {
namespace {

using absl::CivilDay;

// Mondays from `from` on whose Friday is not after `to`, but for the weeks of 国庆 and 劳动节.
void AddWeeks(CivilDay from, CivilDay to, std::vector<CivilDay>& weeks) {
  CivilDay monday = absl::NextWeekday(from - 1, absl::Weekday::monday);
  for (; monday + 4 <= to; monday += 7) {
    const CivilDay friday = monday + 4;
    const CivilDay national_day(monday.year(), 10, 1);
    const CivilDay labour_day(monday.year(), 5, 1);
    const bool holiday =
        (national_day >= monday && national_day <= friday) || (labour_day >= monday && labour_day <= friday);
    if (!holiday) weeks.push_back(monday);
  }
}

}  // namespace

Calendar::Calendar(CivilDay start, int years) : start_(start), years_(years) {
  for (int year = 0; year < years; ++year) {
    std::vector<CivilDay> weeks;
    AddWeeks(Day(year, 9, 3), Day(year, 1, 18), weeks);
    AddWeeks(Day(year, 2, 24), Day(year, 6, 30), weeks);
    weeks_.push_back(std::move(weeks));
  }
}

CivilDay Calendar::DefaultStart(CivilDay today, int years) {
  const CivilDay this_end(today.year(), 8, 31);
  const int64_t last_year = this_end <= today ? today.year() : today.year() - 1;
  return CivilDay(last_year - years, 9, 1);
}

CivilDay Calendar::YearStart(int year) const { return CivilDay(start_.year() + year, 9, 1); }

CivilDay Calendar::YearEnd(int year) const { return YearStart(year + 1) - 1; }

CivilDay Calendar::Day(int year, int month, int day) const {
  return CivilDay(start_.year() + year + (month < 9 ? 1 : 0), month, day);
}

}  // namespace qinglan::demo
