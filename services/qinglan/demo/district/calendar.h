// The demo's school years: which days are taught on.
#pragma once

#include <absl/time/civil_time.h>

#include <string>
#include <vector>

namespace qinglan::demo {

// `years` school years from `start` (a 1 September) on. Immutable.
class Calendar {
 public:
  Calendar(absl::CivilDay start, int years);

  // The 1 September from which `years` whole school years end at the last 31 August on or before `today`.
  static absl::CivilDay DefaultStart(absl::CivilDay today, int years);

  int years() const { return years_; }
  absl::CivilDay YearStart(int year) const;  // its 1 September
  absl::CivilDay YearEnd(int year) const;    // its 31 August
  // The calendar year in which it begins; years before the demo's are negative.
  int SchoolYear(int year) const { return static_cast<int>(YearStart(year).year()); }

  // Mondays of the weeks with lessons: the autumn term's first, then the spring term's.
  const std::vector<absl::CivilDay>& TeachingWeeks(int year) const {
    return weeks_[static_cast<size_t>(year)];
  }
  // A day of the year, by month and day: September to December are of its first calendar year.
  absl::CivilDay Day(int year, int month, int day) const;

 private:
  absl::CivilDay start_;
  int years_;
  std::vector<std::vector<absl::CivilDay>> weeks_;
};

}  // namespace qinglan::demo
