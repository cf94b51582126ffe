#include "projections/progression/time/windows.h"

#include <algorithm>

namespace qinglan::progression {
namespace {

// Dates in the platform's protos begin here (rules.v1.FORMAT_DATE).
constexpr absl::CivilDay kFirstDay(1900, 1, 1);

absl::CivilDay InYear(const v1::DayOfYear& day, absl::civil_year_t year) {
  return absl::CivilDay(year, static_cast<int>(day.month()), static_cast<int>(day.day()));
}

bool Overlap(const Span& a, const Span& b) { return a.from <= b.to && b.from <= a.to; }

Span SchoolYearFrom(const v1::Calendar& calendar, absl::civil_year_t year) {
  return {InYear(calendar.school_year_start(), year), InYear(calendar.school_year_start(), year + 1) - 1};
}

// Both terms of the school year that begins in `year`.
std::vector<Span> UsualTerms(const v1::Calendar& calendar, absl::civil_year_t year) {
  const Span school_year = SchoolYearFrom(calendar, year);
  absl::CivilDay autumn = InYear(calendar.autumn_start(), year);
  absl::CivilDay spring = InYear(calendar.spring_start(), year);
  if (autumn < school_year.from) autumn = InYear(calendar.autumn_start(), year + 1);
  if (spring < school_year.from) spring = InYear(calendar.spring_start(), year + 1);
  return {{autumn, spring - 1}, {spring, school_year.to}};
}

std::optional<Span> LastTermBegun(const v1::Calendar& calendar, absl::CivilDay day) {
  std::vector<Span> dated;
  for (const v1::TermDates& term : calendar.terms()) {
    const auto from = ParseDay(term.from());
    const auto to = ParseDay(term.to());
    if (from.has_value() && to.has_value()) dated.push_back({*from, *to});
  }
  std::vector<Span> terms = dated;
  for (absl::civil_year_t year = day.year() - 2; year <= day.year(); ++year) {
    for (const Span& usual : UsualTerms(calendar, year)) {
      const bool replaced =
          std::any_of(dated.begin(), dated.end(), [&](const Span& term) { return Overlap(term, usual); });
      if (!replaced) terms.push_back(usual);
    }
  }
  std::optional<Span> last;
  for (const Span& term : terms) {
    if (term.from <= day && (!last.has_value() || last->from < term.from)) last = term;
  }
  return last;
}

WindowSpan Rolling(uint32_t years, bool leave_pauses, const ServiceTime& time) {
  WindowSpan window;
  window.span = {AddYears(time.as_of + 1, -static_cast<int>(years)), time.as_of};
  if (leave_pauses) {
    const int64_t length = window.span.Days();
    window.span.from = Backward(time.as_of, length, *time.pauses);
    window.leave_days = window.span.Days() - length;
  }
  return window;
}

std::vector<WindowSpan> FirstYears(const v1::Window& asked, bool leave_pauses, bool show_running,
                                   const ServiceTime& time) {
  if (!time.start_of_teaching.has_value()) return {};
  const absl::CivilDay start = *time.start_of_teaching;
  if (start > time.as_of) return {};
  WindowSpan window;
  const absl::CivilDay end = AddYears(start, static_cast<int>(std::max(1U, asked.count())));
  window.span = {start, end - 1};
  if (leave_pauses) {
    window.span.to = Forward(start, end - start, *time.pauses) - 1;
    window.leave_days = window.span.to - (end - 1);
  }
  window.running = window.span.to > time.as_of;
  window.judged = !window.running || asked.include_running();
  if (!window.judged && !show_running) return {};
  return {window};
}

// The last periods, newest first.
std::vector<WindowSpan> LastPeriods(const v1::Window& asked, bool leave_pauses, bool show_running,
                                    const ServiceTime& time) {
  std::vector<WindowSpan> windows;
  uint32_t judged = 0;
  std::optional<Span> period = LastBegun(asked.period(), *time.calendar, time.as_of);
  for (; period.has_value() && judged < std::max(1U, asked.count());
       period = LastBegun(asked.period(), *time.calendar, period->from - 1)) {
    WindowSpan window;
    window.span = *period;
    window.running = period->to > time.as_of;
    const bool whole = !time.served_from.has_value() || *time.served_from <= period->from;
    const bool touched = !time.served_from.has_value() || *time.served_from <= period->to;
    if (!touched || period->from < kFirstDay) break;
    if (asked.each() && !whole && !window.running) break;
    if (leave_pauses) window.leave_days = time.pauses->DaysIn(*period);
    window.excused = leave_pauses && time.excused_from_days.has_value() && window.leave_days > 0 &&
                     window.leave_days >= *time.excused_from_days;
    const bool wanted = !window.running || (asked.include_running() && (whole || !asked.each()));
    window.judged = wanted && !window.excused;
    if (window.judged) judged += 1;
    if (window.judged || !window.running || show_running) windows.push_back(window);
  }
  return windows;
}

// One window of all that are judged; the others stay as they are.
std::vector<WindowSpan> Joined(const std::vector<WindowSpan>& newest_first) {
  std::vector<WindowSpan> result;
  std::optional<WindowSpan> joined;
  for (const WindowSpan& window : newest_first) {
    if (!window.judged) {
      if (window.running) result.push_back(window);
    } else if (!joined.has_value()) {
      joined = window;
    } else {
      joined->span.from = window.span.from;
      joined->leave_days += window.leave_days;
    }
  }
  if (joined.has_value()) result.push_back(*joined);
  return result;
}

}  // namespace

std::optional<Span> LastBegun(v1::Period period, const v1::Calendar& calendar, absl::CivilDay day) {
  if (period == v1::PERIOD_CALENDAR_YEAR) {
    return Span{absl::CivilDay(day.year(), 1, 1), absl::CivilDay(day.year(), 12, 31)};
  }
  if (period == v1::PERIOD_SCHOOL_YEAR && calendar.has_school_year_start()) {
    const Span this_year = SchoolYearFrom(calendar, day.year());
    return this_year.from <= day ? this_year : SchoolYearFrom(calendar, day.year() - 1);
  }
  if (period == v1::PERIOD_TERM && calendar.has_school_year_start() && calendar.has_autumn_start() &&
      calendar.has_spring_start()) {
    return LastTermBegun(calendar, day);
  }
  return std::nullopt;
}

std::vector<WindowSpan> WindowsOf(const v1::Window& window, bool leave_pauses, bool show_running,
                                  const ServiceTime& time) {
  switch (window.period()) {
    case v1::PERIOD_ROLLING_YEARS:
      return {Rolling(std::max(1U, window.count()), leave_pauses, time)};
    case v1::PERIOD_FIRST_YEARS:
      return FirstYears(window, leave_pauses, show_running, time);
    case v1::PERIOD_SINCE_TIER:
      if (!time.tier_since.has_value()) return {};
      return {WindowSpan{{*time.tier_since, time.as_of}}};
    case v1::PERIOD_EVER:
      return {WindowSpan{{kFirstDay, time.as_of}}};
    case v1::PERIOD_AT_ANY_TIME:
      return {WindowSpan{{time.as_of, time.as_of}}};
    case v1::PERIOD_SCHOOL_YEAR:
    case v1::PERIOD_TERM:
    case v1::PERIOD_CALENDAR_YEAR: {
      std::vector<WindowSpan> windows = LastPeriods(window, leave_pauses, show_running, time);
      if (!window.each()) windows = Joined(windows);
      std::reverse(windows.begin(), windows.end());
      return windows;
    }
    default:
      return {};
  }
}

uint32_t WindowsNeeded(const v1::Window& window) { return window.each() ? std::max(1U, window.count()) : 1; }

}  // namespace qinglan::progression
