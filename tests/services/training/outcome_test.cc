// The programme's rule, value by value.
#include "services/training/model/outcome.h"

#include <gtest/gtest.h>

namespace qinglan::training {
namespace {

constexpr auto kPresent = v1::ATTENDANCE_STATUS_PRESENT;
constexpr auto kLate = v1::ATTENDANCE_STATUS_LATE;
constexpr auto kExcused = v1::ATTENDANCE_STATUS_EXCUSED;
constexpr auto kAbsent = v1::ATTENDANCE_STATUS_ABSENT;
constexpr auto kNone = v1::ATTENDANCE_STATUS_UNSPECIFIED;

struct Case {
  v1::CreditBasis basis;
  uint32_t minimum;
  std::vector<v1::AttendanceStatus> statuses;  // one a half-day
  Outcome outcome;
};

// Only PRESENT counts; 4 hours a half-day.
Outcome OutcomeOf(const Case& c) {
  v1::SessionFacts facts;
  facts.set_credit_tenths_per_block(40);
  v1::CreditRule& rule = *facts.mutable_terms()->mutable_credit_rule();
  rule.set_basis(c.basis);
  rule.set_minimum_attendance_percent(c.minimum);
  rule.add_counted(kPresent);
  Marks marks;
  for (size_t i = 0; i < c.statuses.size(); ++i) {
    v1::Block& block = *facts.add_blocks();
    block.set_date("2026-02-07");
    block.set_half(static_cast<scale::v1::Half>(i + 1));
    if (c.statuses[i] != kNone) marks[KeyOf(block)] = Mark{c.statuses[i], "e#0", false};
  }
  return Assess(facts, marks);
}

TEST(Assess, FollowsTheProgrammesRule) {
  constexpr auto kPer = v1::CREDIT_BASIS_PER_BLOCK;
  constexpr auto kAll = v1::CREDIT_BASIS_ON_COMPLETION;
  const std::vector<Case> cases = {
      {kPer, 75, {kPresent, kPresent, kPresent}, {true, 3, 0, 0, 120}},
      {kPer, 75, {kPresent, kPresent, kAbsent}, {false, 2, 0, 0, 80}},
      {kPer, 66, {kPresent, kPresent, kAbsent}, {true, 2, 0, 0, 80}},
      {kPer, 67, {kPresent, kPresent, kAbsent}, {false, 2, 0, 0, 80}},  // 66.7 is less
      {kAll, 67, {kPresent, kPresent, kAbsent}, {false, 2, 0, 0, 0}},
      {kAll, 66, {kPresent, kPresent, kExcused}, {true, 2, 1, 0, 120}},
      {kAll, 100, {kPresent, kPresent, kLate}, {false, 2, 0, 0, 0}},
      {kAll, 0, {kAbsent, kExcused, kNone}, {false, 0, 1, 1, 0}},
      {kAll, 0, {kPresent, kNone, kNone}, {true, 1, 0, 2, 120}},
      {kPer, 0, {kNone}, {false, 0, 0, 1, 0}},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const Outcome outcome = OutcomeOf(cases[i]);
    EXPECT_EQ(outcome.completed, cases[i].outcome.completed);
    EXPECT_EQ(outcome.blocks_attended, cases[i].outcome.blocks_attended);
    EXPECT_EQ(outcome.blocks_excused, cases[i].outcome.blocks_excused);
    EXPECT_EQ(outcome.blocks_unrecorded, cases[i].outcome.blocks_unrecorded);
    EXPECT_EQ(outcome.credit_tenths, cases[i].outcome.credit_tenths);
  }
}

TEST(HoursText, SaysTenths) {
  EXPECT_EQ(HoursText(0), "0");
  EXPECT_EQ(HoursText(40), "4");
  EXPECT_EQ(HoursText(45), "4.5");
  EXPECT_EQ(HoursText(1205), "120.5");
}

}  // namespace
}  // namespace qinglan::training
