// 学年, 学期, 自然年, rolling years, first years: their borders, leap days, leave.
#include "projections/progression/time/windows.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using tests::DayOf;
using tests::PolicyOf;
using tests::WindowOf;

const v1::Calendar& UsualCalendar() {
  static const v1::Calendar calendar =
      PolicyOf(
          "calendar { school_year_start { month: 9 day: 1 } autumn_start { month: 9 day: 1 } "
          "spring_start { month: 2 day: 15 } }")
          .calendar();
  return calendar;
}

std::string Text(const Span& span) { return IsoDay(span.from) + ".." + IsoDay(span.to); }

// "2024-09-01..2025-08-31 judged", oldest first.
std::vector<std::string> Texts(const std::vector<WindowSpan>& windows) {
  std::vector<std::string> texts;
  for (const WindowSpan& window : windows) {
    std::string text = Text(window.span);
    if (window.judged) text += " judged";
    if (window.running) text += " running";
    if (window.excused) text += " excused";
    texts.push_back(text);
  }
  return texts;
}

struct Begun {
  v1::Period period;
  const char* day;
  const char* expected;
};

TEST(LastBegun, DatesEachPeriodAtItsBorders) {
  const Begun cases[] = {
      {v1::PERIOD_SCHOOL_YEAR, "2025-08-31", "2024-09-01..2025-08-31"},
      {v1::PERIOD_SCHOOL_YEAR, "2025-09-01", "2025-09-01..2026-08-31"},
      {v1::PERIOD_SCHOOL_YEAR, "2024-02-29", "2023-09-01..2024-08-31"},
      {v1::PERIOD_TERM, "2025-09-01", "2025-09-01..2026-02-14"},
      {v1::PERIOD_TERM, "2026-02-14", "2025-09-01..2026-02-14"},
      {v1::PERIOD_TERM, "2026-02-15", "2026-02-15..2026-08-31"},
      {v1::PERIOD_TERM, "2026-08-31", "2026-02-15..2026-08-31"},
      {v1::PERIOD_CALENDAR_YEAR, "2024-12-31", "2024-01-01..2024-12-31"},
      {v1::PERIOD_CALENDAR_YEAR, "2025-01-01", "2025-01-01..2025-12-31"},
  };
  for (const Begun& test : cases) {
    const auto span = LastBegun(test.period, UsualCalendar(), DayOf(test.day));
    ASSERT_TRUE(span.has_value()) << test.day;
    EXPECT_EQ(Text(*span), test.expected) << test.day;
  }
}

TEST(LastBegun, ADatedTermTakesThePlaceOfTheUsualOne) {
  v1::Calendar calendar = UsualCalendar();
  v1::TermDates& autumn = *calendar.add_terms();
  autumn.set_from("2025-09-08");
  autumn.set_to("2026-01-23");
  EXPECT_EQ(Text(*LastBegun(v1::PERIOD_TERM, calendar, DayOf("2025-09-07"))), "2025-02-15..2025-08-31");
  EXPECT_EQ(Text(*LastBegun(v1::PERIOD_TERM, calendar, DayOf("2025-09-08"))), "2025-09-08..2026-01-23");
  EXPECT_EQ(Text(*LastBegun(v1::PERIOD_TERM, calendar, DayOf("2026-02-01"))), "2025-09-08..2026-01-23");
  EXPECT_EQ(Text(*LastBegun(v1::PERIOD_TERM, calendar, DayOf("2026-03-01"))), "2026-02-15..2026-08-31");
}

TEST(LastBegun, WithoutACalendarThereIsNoSchoolYear) {
  EXPECT_FALSE(LastBegun(v1::PERIOD_SCHOOL_YEAR, v1::Calendar(), DayOf("2025-09-01")).has_value());
  EXPECT_FALSE(LastBegun(v1::PERIOD_TERM, v1::Calendar(), DayOf("2025-09-01")).has_value());
}

class Windows : public testing::Test {
 protected:
  std::vector<std::string> Of(const std::string& window, const std::string& as_of,
                              bool show_running = false) {
    ServiceTime time;
    time.as_of = DayOf(as_of);
    time.start_of_teaching = ParseDay(start_);
    time.served_from = ParseDay(start_);
    time.tier_since = ParseDay(tier_since_);
    pauses_ = Pauses(leave_);
    time.pauses = &pauses_;
    time.calendar = &UsualCalendar();
    time.excused_from_days = 60;
    return Texts(WindowsOf(WindowOf(window), true, show_running, time));
  }

  std::string start_ = "2015-09-01";
  std::string tier_since_;
  std::vector<Span> leave_;
  Pauses pauses_;
};

using Texts_ = std::vector<std::string>;

TEST_F(Windows, OnlyPeriodsThatAreOverAreJudged) {
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 2 each: true", "2026-03-01"),
            (Texts_{"2023-09-01..2024-08-31 judged", "2024-09-01..2025-08-31 judged"}));
  // The last day of a period is its end.
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-08-31"),
            (Texts_{"2024-09-01..2025-08-31 judged"}));
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-08-30"),
            (Texts_{"2023-09-01..2024-08-31 judged"}));
}

TEST_F(Windows, TheRunningPeriodIsJudgedOnlyWhereItIsIncluded) {
  EXPECT_EQ(Of("period: PERIOD_TERM count: 2 each: true include_running: true", "2026-03-01"),
            (Texts_{"2025-09-01..2026-02-14 judged", "2026-02-15..2026-08-31 judged running"}));
  EXPECT_EQ(Of("period: PERIOD_TERM count: 1 each: true", "2026-03-01", true),
            (Texts_{"2025-09-01..2026-02-14 judged", "2026-02-15..2026-08-31 running"}));
}

TEST_F(Windows, PeriodsThatWereNotServedWholeAreNotJudged) {
  start_ = "2024-10-15";
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 3 each: true", "2026-10-01"),
            (Texts_{"2025-09-01..2026-08-31 judged"}));
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-10-01"), Texts_{});
}

TEST_F(Windows, SeveralPeriodsTogetherAreOneWindow) {
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 3", "2026-03-01"),
            (Texts_{"2022-09-01..2025-08-31 judged"}));
}

TEST_F(Windows, LongLeaveExcusesAPeriodAndTheOneBeforeItIsJudgedInstead) {
  leave_ = {{DayOf("2024-11-01"), DayOf("2025-03-31")}};
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-10-01"),
            (Texts_{"2023-09-01..2024-08-31 judged", "2024-09-01..2025-08-31 excused"}));
  leave_ = {{DayOf("2024-11-01"), DayOf("2024-12-29")}};  // 59 days: one too few
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-10-01"),
            (Texts_{"2024-09-01..2025-08-31 judged"}));
  leave_ = {{DayOf("2024-11-01"), DayOf("2024-12-30")}};  // 60 days
  EXPECT_EQ(Of("period: PERIOD_SCHOOL_YEAR count: 1 each: true", "2025-10-01").back(),
            "2024-09-01..2025-08-31 excused");
}

TEST_F(Windows, RollingYearsEndWithTheDayAndKnowLeapDays) {
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 5", "2026-06-30"),
            (Texts_{"2021-07-01..2026-06-30 judged"}));
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 1", "2024-02-29"),
            (Texts_{"2023-03-01..2024-02-29 judged"}));
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 4", "2024-02-28"),
            (Texts_{"2020-02-29..2024-02-28 judged"}));
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 5", "2025-02-28"),
            (Texts_{"2020-03-01..2025-02-28 judged"}));
}

TEST_F(Windows, RollingYearsReachBackByTheDaysOfLeave) {
  leave_ = {{DayOf("2024-01-01"), DayOf("2024-01-31")}};
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 1", "2024-06-30"),
            (Texts_{"2023-05-31..2024-06-30 judged"}));
  // The days that it reaches back over are leave in part: it reaches further.
  leave_.push_back({DayOf("2023-06-21"), DayOf("2023-06-30")});
  EXPECT_EQ(Of("period: PERIOD_ROLLING_YEARS count: 1", "2024-06-30"),
            (Texts_{"2023-05-21..2024-06-30 judged"}));
}

TEST_F(Windows, FirstYearsBeginWithTheFirstDayOfTeaching) {
  start_ = "2024-09-01";
  EXPECT_EQ(Of("period: PERIOD_FIRST_YEARS count: 1", "2025-08-31"),
            (Texts_{"2024-09-01..2025-08-31 judged"}));
  EXPECT_EQ(Of("period: PERIOD_FIRST_YEARS count: 1", "2025-08-30"), Texts_{});
  EXPECT_EQ(Of("period: PERIOD_FIRST_YEARS count: 1 include_running: true", "2025-03-01"),
            (Texts_{"2024-09-01..2025-08-31 judged running"}));
  leave_ = {{DayOf("2025-03-01"), DayOf("2025-03-10")}};
  EXPECT_EQ(Of("period: PERIOD_FIRST_YEARS count: 1", "2025-12-31"),
            (Texts_{"2024-09-01..2025-09-10 judged"}));
}

TEST_F(Windows, SinceTierNeedsATier) {
  EXPECT_EQ(Of("period: PERIOD_SINCE_TIER", "2026-01-01"), Texts_{});
  tier_since_ = "2023-07-01";
  EXPECT_EQ(Of("period: PERIOD_SINCE_TIER", "2026-01-01"), (Texts_{"2023-07-01..2026-01-01 judged"}));
}

struct Years {
  const char* start;
  const char* on;
  int64_t hundredths;
};

TEST(YearHundredths, AnniversariesAreExact) {
  const Years cases[] = {
      {"2020-09-01", "2023-09-01", 300}, {"2020-09-01", "2023-08-31", 299}, {"2020-09-01", "2020-09-01", 0},
      {"2020-09-01", "2020-08-01", 0},   {"2020-02-29", "2021-02-28", 99},  {"2020-02-29", "2021-03-01", 100},
      {"2020-02-29", "2024-02-29", 400}, {"2019-09-01", "2020-03-01", 49},
  };
  for (const Years& test : cases) {
    EXPECT_EQ(YearHundredths(DayOf(test.start), DayOf(test.on), Pauses()), test.hundredths) << test.on;
  }
}

TEST(YearHundredths, StandStillDuringLeave) {
  const Pauses leave({{DayOf("2022-03-01"), DayOf("2022-03-31")}});
  EXPECT_EQ(YearHundredths(DayOf("2020-09-01"), DayOf("2023-09-01"), leave), 291);
  EXPECT_EQ(YearHundredths(DayOf("2020-09-01"), DayOf("2023-10-01"), leave), 299);
  EXPECT_EQ(YearHundredths(DayOf("2020-09-01"), DayOf("2023-10-02"), leave), 300);
  // The clock and the day it is due on agree.
  EXPECT_EQ(IsoDay(Forward(DayOf("2020-09-01"), DayOf("2023-09-01") - DayOf("2020-09-01"), leave)),
            "2023-10-02");
}

TEST(Pauses, OverlappingLeavesCountOnce) {
  const Pauses pauses(
      {{DayOf("2024-03-10"), DayOf("2024-03-20")}, {DayOf("2024-03-01"), DayOf("2024-03-15")}});
  EXPECT_EQ(pauses.DaysIn({DayOf("2024-01-01"), DayOf("2024-12-31")}), 20);
  EXPECT_EQ(pauses.DaysIn({DayOf("2024-03-20"), DayOf("2024-12-31")}), 1);
  EXPECT_TRUE(pauses.Covers(DayOf("2024-03-01")));
  EXPECT_FALSE(pauses.Covers(DayOf("2024-03-21")));
}

TEST(ParseDay, TakesOnlyDaysOfTheCalendar) {
  EXPECT_FALSE(ParseDay("").has_value());
  EXPECT_FALSE(ParseDay("2026-02-30").has_value());
  EXPECT_FALSE(ParseDay("2026-2-3").has_value());
  EXPECT_FALSE(ParseDay("2026-02-03T00:00").has_value());
  EXPECT_EQ(IsoDay(*ParseDay("2024-02-29")), "2024-02-29");
}

}  // namespace
}  // namespace qinglan::progression
