#include "services/appraisal/bars.h"

#include <gtest/gtest.h>

#include <optional>

namespace qinglan::appraisal {
namespace {

struct Length {
  std::string start;
  BarLength length;
  std::string last_day;
};

class BarLasts : public testing::TestWithParam<Length> {};

TEST_P(BarLasts, UntilTheCorrespondingDay) {
  const auto end = LastDay(runtime::Day(GetParam().start), GetParam().length, "until_on");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(runtime::IsoDate(*end), GetParam().last_day);
}

// 民法典第二百零二条: 到期月的对应日为期间的最后一日;没有对应日的,月末日为期间的最后一日。
INSTANTIATE_TEST_SUITE_P(Lengths, BarLasts,
                         testing::ValuesIn(std::vector<Length>{
                             {"2026-03-01", {6, 0, ""}, "2026-09-01"},
                             {"2026-08-31", {6, 0, ""}, "2027-02-28"},
                             {"2023-08-31", {6, 0, ""}, "2024-02-29"},
                             {"2026-12-15", {1, 0, ""}, "2027-01-15"},
                             {"2026-05-31", {1, 0, ""}, "2026-06-30"},
                             {"2024-02-29", {0, 1, ""}, "2025-02-28"},
                             {"2024-02-29", {0, 4, ""}, "2028-02-29"},
                             {"2026-01-15", {24, 0, ""}, "2028-01-15"},
                             {"2026-01-15", {0, 3, ""}, "2029-01-15"},
                             {"2026-03-01", {0, 0, "2026-12-31"}, "2026-12-31"},
                             {"2026-03-01", {0, 0, "2026-03-01"}, "2026-03-01"},
                         }));

TEST(LastDay, BeforeTheFirstIsRefused) {
  const auto end = LastDay(absl::CivilDay(2026, 3, 1), {0, 0, "2026-02-28"}, "until_on");
  EXPECT_EQ(runtime::ReasonOf(end.status()), "END_BEFORE_START");
}

BarState Bar(const std::string& ends_on) {
  BarState bar;
  bar.imposed.set_starts_on("2026-03-01");
  bar.imposed.set_ends_on(ends_on);
  return bar;
}

bool HoldsOn(const BarState& bar, const std::string& day) { return bar.HoldsOn(runtime::Day(day)); }

TEST(Bar, HoldsFromItsFirstDayToItsLast) {
  const BarState bar = Bar("2026-09-01");
  EXPECT_FALSE(HoldsOn(bar, "2026-02-28"));
  EXPECT_TRUE(HoldsOn(bar, "2026-03-01"));
  EXPECT_TRUE(HoldsOn(bar, "2026-09-01"));
  EXPECT_FALSE(HoldsOn(bar, "2026-09-02"));
}

TEST(Bar, WithoutLastDayHoldsUntilItIsLifted) {
  BarState veto = Bar("");
  EXPECT_TRUE(HoldsOn(veto, "2099-01-01"));
  veto.lifted = true;
  veto.lifted_on = "2028-05-01";
  EXPECT_TRUE(HoldsOn(veto, "2028-04-30"));
  EXPECT_FALSE(HoldsOn(veto, "2028-05-01"));
}

TEST(Bar, ThatIsVoidNeverHeld) {
  BarState bar = Bar("2026-09-01");
  bar.lifted = true;
  bar.lifted_on = "2026-05-01";
  bar.void_from_start = true;
  EXPECT_FALSE(HoldsOn(bar, "2026-03-01"));
}

TEST(Bar, CoversItsScopesAndAVetoAll) {
  BarState bar = Bar("2026-09-01");
  bar.imposed.add_scopes(v1::BAR_SCOPE_PROMOTION);
  EXPECT_TRUE(bar.Covers(v1::BAR_SCOPE_PROMOTION));
  EXPECT_FALSE(bar.Covers(v1::BAR_SCOPE_AWARDS));
  bar.imposed.add_scopes(v1::BAR_SCOPE_EVERYTHING);
  EXPECT_TRUE(bar.Covers(v1::BAR_SCOPE_AWARDS));
}

}  // namespace
}  // namespace qinglan::appraisal
