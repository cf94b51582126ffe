// Tiers, eligibility, alternatives, duties, bars, milestones and warnings of an assessment.
#include "projections/progression/assess.h"

#include <gtest/gtest.h>

#include <string>

#include "projections/progression/criteria.h"
#include "projections/progression/facts.h"
#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Assessment;
using dossier::v1::Dossier;
using tests::AddPiece;
using tests::DayOf;
using tests::DossierOf;
using tests::PolicyOf;
using tests::Result;

// One criterion to enter the second tier, and room for a test's own.
v1::Policy SmallPolicy(const std::string& more = "") {
  return PolicyOf(R"(
    policy_id: 'P' version: 3
    calendar { school_year_start { month: 9 day: 1 } autumn_start { month: 9 day: 1 } spring_start { month:
      2 day: 15 } }
    leave_rule { value: 60 unit: UNIT_DAY }
    tiers { tier: TIER_NEW title { zh: '新教师' } } tiers { tier: TIER_QUALIFIED title { zh: '合格教师' } }
    tiers { tier: TIER_BACKBONE title { zh: '骨干教师' } }
    criteria { criterion_id: 'years' purpose: PURPOSE_ENTRY tiers: TIER_QUALIFIED leave_pauses: true
      any_of { measure: MEASURE_YEARS_OF_TEACHING op: OP_AT_LEAST value: 3 unit: UNIT_YEAR window { period:
        PERIOD_EVER } }
      message { zh: '任教 {got} 年,还差 {missing} {unit}' en: '{missing} {unit} missing' } }
  )" + more);
}

TEST(Tier, IsNewFromTheFirstDayOfTeaching) {
  const Dossier dossier = DossierOf("teacher_id: 'T' start_of_teaching: '2024-09-01'");
  const Assessment before = Assess(SmallPolicy(), dossier, DayOf("2024-08-31"));
  EXPECT_EQ(before.tier(), scale::v1::TIER_UNSPECIFIED);
  EXPECT_FALSE(before.in_service());
  EXPECT_FALSE(before.eligible());
  const Assessment first = Assess(SmallPolicy(), dossier, DayOf("2024-09-01"));
  EXPECT_EQ(first.tier(), scale::v1::TIER_NEW);
  EXPECT_EQ(first.tier_since(), "2024-09-01");
  EXPECT_EQ(first.tier_decision_event_id(), "");
  EXPECT_EQ(first.next_tier(), scale::v1::TIER_QUALIFIED);
}

TEST(Tier, IsWhatWasDecidedByThatDayAndNotWithdrawn) {
  const Dossier dossier = DossierOf(R"(
    start_of_teaching: '2015-09-01'
    tiers { event_id: 'd1' tier: TIER_QUALIFIED since: '2018-09-01' }
    tiers { event_id: 'd2' tier: TIER_BACKBONE since: '2022-01-01' withdrawn_by: 'w' }
    tiers { event_id: 'd3' tier: TIER_BACKBONE since: '2024-01-01' })");
  EXPECT_EQ(Assess(SmallPolicy(), dossier, DayOf("2018-08-31")).tier(), scale::v1::TIER_NEW);
  EXPECT_EQ(Assess(SmallPolicy(), dossier, DayOf("2022-06-01")).tier(), scale::v1::TIER_QUALIFIED);
  const Assessment now = Assess(SmallPolicy(), dossier, DayOf("2024-01-01"));
  EXPECT_EQ(now.tier(), scale::v1::TIER_BACKBONE);
  EXPECT_EQ(now.tier_decision_event_id(), "d3");
  EXPECT_EQ(now.next_tier(), scale::v1::TIER_UNSPECIFIED);  // this policy knows no higher one
  EXPECT_FALSE(now.eligible());
}

TEST(Tier, LapsesAtTheEndOfItsTermAndIsHeldThroughARenewal) {
  Dossier dossier = DossierOf(R"(
    start_of_teaching: '2010-09-01'
    tiers { event_id: 'd1' tier: TIER_QUALIFIED since: '2014-09-01' }
    tiers { event_id: 'd2' tier: TIER_BACKBONE since: '2019-09-01' until: '2022-08-31' })");
  EXPECT_EQ(Assess(SmallPolicy(), dossier, DayOf("2022-08-31")).tier(), scale::v1::TIER_BACKBONE);
  const Assessment lapsed = Assess(SmallPolicy(), dossier, DayOf("2022-09-01"));
  EXPECT_EQ(lapsed.tier(), scale::v1::TIER_QUALIFIED);
  ASSERT_EQ(lapsed.warnings_size(), 1);
  EXPECT_EQ(lapsed.warnings(0).kind(), dossier::v1::WARNING_KIND_TERM_ENDED);
  EXPECT_EQ(lapsed.warnings(0).subject_id(), "d2");
  *dossier.add_tiers() =
      DossierOf("tiers { event_id: 'd3' tier: TIER_BACKBONE since: '2022-09-01' until: '2025-08-31' }")
          .tiers(0);
  const Assessment renewed = Assess(SmallPolicy(), dossier, DayOf("2023-01-01"));
  EXPECT_EQ(renewed.tier_since(), "2019-09-01");
  EXPECT_EQ(renewed.tier_until(), "2025-08-31");
}

TEST(Eligibility, NeedsEveryCriterionAndSaysWhatIsMissing) {
  const Dossier dossier = DossierOf("start_of_teaching: '2023-09-01'");
  const Assessment early = Assess(SmallPolicy(), dossier, DayOf("2025-09-01"));
  EXPECT_FALSE(early.eligible());
  const auto years = Result(early, "years");
  EXPECT_EQ(years.status(), dossier::v1::CRITERION_STATUS_UNMET);
  EXPECT_EQ(years.got(), 2);
  EXPECT_EQ(years.message().zh(), "任教 2 年,还差 1 年");
  EXPECT_EQ(years.message().en(), "1 years missing");
  EXPECT_TRUE(Assess(SmallPolicy(), dossier, DayOf("2026-09-01")).eligible());
  EXPECT_FALSE(Assess(SmallPolicy(), dossier, DayOf("2026-08-31")).eligible());
}

TEST(Eligibility, ATierWithoutAnyRuleIsNotOpen) {
  const Dossier dossier = DossierOf(R"(
    start_of_teaching: '2010-09-01' tiers { event_id: 'd1' tier: TIER_QUALIFIED since: '2014-09-01' })");
  const Assessment assessment = Assess(SmallPolicy(), dossier, DayOf("2026-01-01"));
  EXPECT_EQ(assessment.next_tier(), scale::v1::TIER_BACKBONE);
  EXPECT_FALSE(assessment.eligible());
}

TEST(Eligibility, LeavePausesTheYears) {
  const Dossier dossier = DossierOf(R"(
    start_of_teaching: '2022-09-01' leaves { leave_id: 'l' kind: 'MATERNITY' from: '2024-03-01' to:
      '2024-08-31' })");
  EXPECT_FALSE(Assess(SmallPolicy(), dossier, DayOf("2025-09-01")).eligible());
  EXPECT_FALSE(Assess(SmallPolicy(), dossier, DayOf("2026-03-03")).eligible());
  EXPECT_TRUE(Assess(SmallPolicy(), dossier, DayOf("2026-03-04")).eligible());  // 184 days later
}

TEST(Eligibility, EndsWithDepartureAndReturnsWithReinstatement) {
  Dossier dossier = DossierOf(R"(
    start_of_teaching: '2018-09-01' leaves { kind: 'DEPARTED' from: '2025-07-01' to: '2025-12-31' })");
  EXPECT_TRUE(Assess(SmallPolicy(), dossier, DayOf("2025-06-30")).eligible());
  const Assessment gone = Assess(SmallPolicy(), dossier, DayOf("2025-07-01"));
  EXPECT_FALSE(gone.in_service());
  EXPECT_FALSE(gone.eligible());
  EXPECT_TRUE(Assess(SmallPolicy(), dossier, DayOf("2026-01-01")).eligible());
}

constexpr const char* kCompetition = R"(
  criteria { criterion_id: 'competition' purpose: PURPOSE_ENTRY tiers: TIER_QUALIFIED
    any_of { measure: MEASURE_COMPETITION_AWARDS op: OP_AT_LEAST value: 1 unit: UNIT_PIECE window { period:
      PERIOD_EVER }
             filter { level_at_least: LEVEL_COUNTY prize_at_least: PRIZE_FIRST } title { zh: '县级一等奖' } }
    any_of { measure: MEASURE_COMPETITION_AWARDS op: OP_AT_LEAST value: 1 unit: UNIT_PIECE window { period:
      PERIOD_EVER }
             filter { level_at_least: LEVEL_CITY prize_at_least: PRIZE_SECOND } title { zh: '市级二等奖' } } })";

struct Award {
  scale::v1::Level level;
  v1::Prize prize;
  bool met;
};

TEST(Alternatives, OneIsEnough) {
  const Award cases[] = {
      {scale::v1::LEVEL_COUNTY, v1::PRIZE_FIRST, true},   {scale::v1::LEVEL_COUNTY, v1::PRIZE_SECOND, false},
      {scale::v1::LEVEL_CITY, v1::PRIZE_SECOND, true},    {scale::v1::LEVEL_CITY, v1::PRIZE_THIRD, false},
      {scale::v1::LEVEL_PROVINCE, v1::PRIZE_FIRST, true}, {scale::v1::LEVEL_SCHOOL, v1::PRIZE_SPECIAL, false},
  };
  for (const Award& test : cases) {
    Dossier dossier = DossierOf("start_of_teaching: '2018-09-01'");
    auto& award = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_COMPETITION_AWARD, "2024-05-01");
    award.set_level(test.level);
    award.set_prize(test.prize);
    const auto result =
        Result(Assess(SmallPolicy(kCompetition), dossier, DayOf("2026-01-01")), "competition");
    EXPECT_EQ(result.met(), test.met) << test.level << " " << test.prize;
    ASSERT_EQ(result.alternatives_size(), 2);
    EXPECT_EQ(result.alternatives(0).met() || result.alternatives(1).met(), test.met);
  }
}

TEST(EachWindow, EveryOneMustBeMetAndThereMustBeEnoughOfThem) {
  const v1::Policy policy = SmallPolicy(R"(
    criteria { criterion_id: 'rated' purpose: PURPOSE_ENTRY tiers: TIER_QUALIFIED
      any_of { measure: MEASURE_RATINGS op: OP_AT_LEAST value: 1 unit: UNIT_TIMES
               filter { dimensions: 'OVERALL' grade_at_least: GRADE_QUALIFIED }
               window { period: PERIOD_SCHOOL_YEAR count: 3 each: true } } })");
  Dossier dossier = DossierOf("start_of_teaching: '2020-09-01'");
  const auto rate = [&](const std::string& year, v1::Grade grade) -> dossier::v1::Evidence& {
    auto& rating = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_RATING, year + "-06-20");
    rating.set_subkind("OVERALL");
    rating.set_grade(grade);
    rating.set_placed_on(year + "-01-01");
    return rating;
  };
  rate("2023", v1::GRADE_EXCELLENT);
  auto& middle = rate("2024", v1::GRADE_BASIC);
  rate("2025", v1::GRADE_QUALIFIED);
  auto result = Result(Assess(policy, dossier, DayOf("2025-10-01")), "rated");
  EXPECT_FALSE(result.met());
  EXPECT_EQ(result.parameters().at("windows_met"), "2");
  EXPECT_EQ(result.from(), "2022-09-01");
  EXPECT_EQ(result.to(), "2025-08-31");
  middle.set_grade(v1::GRADE_QUALIFIED);
  EXPECT_TRUE(Result(Assess(policy, dossier, DayOf("2025-10-01")), "rated").met());
  // Somebody who has taught for two whole years only has two of three.
  dossier.set_start_of_teaching("2023-09-01");
  result = Result(Assess(policy, dossier, DayOf("2025-10-01")), "rated");
  EXPECT_FALSE(result.met());
  EXPECT_EQ(result.parameters().at("windows_met"), "2");
}

constexpr const char* kDuty = R"(
  criteria { criterion_id: 'lesson' purpose: PURPOSE_DUTY tiers: TIER_BACKBONE leave_pauses: true
    any_of { measure: MEASURE_LESSONS op: OP_AT_LEAST value: 1 unit: UNIT_LESSON window { period:
      PERIOD_TERM each: true } } })";

TEST(Duties, AreOwedForTermsThatWereHeldWhole) {
  Dossier dossier = DossierOf(R"(
    start_of_teaching: '2010-09-01' tiers { event_id: 'd' tier: TIER_BACKBONE since: '2025-03-01' })");
  const v1::Policy policy = SmallPolicy(kDuty);
  const auto status = [&](const std::string& day) {
    return Result(Assess(policy, dossier, DayOf(day)), "lesson").status();
  };
  EXPECT_EQ(status("2025-05-01"), dossier::v1::CRITERION_STATUS_RUNNING);
  EXPECT_EQ(status("2025-09-01"), dossier::v1::CRITERION_STATUS_RUNNING);  // spring was begun before the tier
  EXPECT_EQ(status("2026-02-14"), dossier::v1::CRITERION_STATUS_UNMET);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_LESSON, "2025-12-01");
  EXPECT_EQ(status("2026-02-14"), dossier::v1::CRITERION_STATUS_MET);
  EXPECT_EQ(status("2026-03-01"), dossier::v1::CRITERION_STATUS_MET);    // autumn is judged, spring runs
  EXPECT_EQ(status("2026-08-31"), dossier::v1::CRITERION_STATUS_UNMET);  // spring is over
}

TEST(Duties, OnesOfARunningTermAreWarnedOfWhenTheyFallBehind) {
  v1::Policy policy = SmallPolicy(R"(
    criteria { criterion_id: 'observing' purpose: PURPOSE_DUTY tiers: TIER_NEW tiers: TIER_QUALIFIED title
      { zh: '听课' }
      any_of { measure: MEASURE_OBSERVATIONS_GIVEN op: OP_AT_LEAST value: 20 unit: UNIT_LESSON
               window { period: PERIOD_SCHOOL_YEAR each: true } } })");
  Dossier dossier = DossierOf("start_of_teaching: '2025-09-01'");
  EXPECT_EQ(Assess(policy, dossier, DayOf("2025-09-10")).warnings_size(), 0);
  const Assessment behind = Assess(policy, dossier, DayOf("2026-03-01"));
  ASSERT_EQ(behind.warnings_size(), 1);
  EXPECT_EQ(behind.warnings(0).kind(), dossier::v1::WARNING_KIND_DUTY_AT_RISK);
  EXPECT_EQ(behind.warnings(0).due_on(), "2026-08-31");
  EXPECT_EQ(behind.warnings(0).parameters().at("expected"), "9");
  for (int i = 0; i < 9; ++i) AddPiece(dossier, dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN, "2025-11-01");
  EXPECT_EQ(Assess(policy, dossier, DayOf("2026-03-01")).warnings_size(), 0);
}

TEST(Duties, FiveYearsHoursAreOwedAfterFiveYearsAndWarnedOfBefore) {
  v1::Policy policy = SmallPolicy(R"(
    criteria { criterion_id: 'hours' purpose: PURPOSE_DUTY tiers: TIER_NEW leave_pauses: true
      any_of { measure: MEASURE_CREDIT_HOURS op: OP_AT_LEAST value: 360 unit: UNIT_CREDIT_HOUR
               window { period: PERIOD_ROLLING_YEARS count: 5 } } })");
  Dossier dossier = DossierOf("start_of_teaching: '2020-09-01'");
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2021-10-01", 150);
  EXPECT_EQ(Result(Assess(policy, dossier, DayOf("2022-09-01")), "hours").status(),
            dossier::v1::CRITERION_STATUS_RUNNING);
  EXPECT_EQ(Assess(policy, dossier, DayOf("2022-09-01")).warnings_size(), 0);  // 144 would be even
  const Assessment later = Assess(policy, dossier, DayOf("2023-09-01"));
  ASSERT_EQ(later.warnings_size(), 1);
  EXPECT_EQ(later.warnings(0).kind(), dossier::v1::WARNING_KIND_PACE);
  EXPECT_EQ(Result(Assess(policy, dossier, DayOf("2025-09-01")), "hours").status(),
            dossier::v1::CRITERION_STATUS_UNMET);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2025-08-01", 210);
  EXPECT_EQ(Result(Assess(policy, dossier, DayOf("2025-09-01")), "hours").status(),
            dossier::v1::CRITERION_STATUS_MET);
}

TEST(Applicability, LooksAtThePostsOfTheDay) {
  v1::Policy policy = SmallPolicy(R"(
    criteria { criterion_id: 'leaders' purpose: PURPOSE_DUTY tiers: TIER_NEW applies_to { post_kinds:
      'SCHOOL_LEADER' }
      any_of { measure: MEASURE_LESSONS op: OP_AT_LEAST value: 1 unit: UNIT_LESSON window { period:
        PERIOD_TERM } } }
    criteria { criterion_id: 'others' purpose: PURPOSE_DUTY tiers: TIER_NEW applies_to { except_post_kinds:
      'SCHOOL_LEADER' }
      any_of { measure: MEASURE_LESSONS op: OP_AT_LEAST value: 1 unit: UNIT_LESSON window { period:
        PERIOD_TERM } } }
    criteria { criterion_id: 'rural' purpose: PURPOSE_DUTY tiers: TIER_NEW applies_to { rural_only: true }
      any_of { measure: MEASURE_LESSONS op: OP_AT_LEAST value: 1 unit: UNIT_LESSON window { period:
        PERIOD_TERM } } })");
  const Dossier dossier = DossierOf(R"(
    start_of_teaching: '2018-09-01'
    posts { post_id: 'a' kind: 'TEACHER' from: '2018-09-01' to: '2025-08-31' rural: true }
    posts { post_id: 'b' kind: 'SCHOOL_LEADER' from: '2025-09-01' })");
  const auto not_applicable = [&](const char* id, const char* day) {
    return Result(Assess(policy, dossier, DayOf(day)), id).status() ==
           dossier::v1::CRITERION_STATUS_NOT_APPLICABLE;
  };
  EXPECT_TRUE(not_applicable("leaders", "2025-08-31"));
  EXPECT_FALSE(not_applicable("others", "2025-08-31"));
  EXPECT_FALSE(not_applicable("rural", "2025-08-31"));
  EXPECT_FALSE(not_applicable("leaders", "2025-09-01"));
  EXPECT_TRUE(not_applicable("others", "2025-09-01"));
  EXPECT_TRUE(not_applicable("rural", "2025-09-01"));
}

struct Barred {
  const char* bar;
  const char* day;
  bool barred;
};

TEST(Bars, CountByScopeAndDay) {
  const Barred cases[] = {
      {"covers_promotion: true from: '2025-01-01' to: '2025-12-31'", "2024-12-31", false},
      {"covers_promotion: true from: '2025-01-01' to: '2025-12-31'", "2025-01-01", true},
      {"covers_promotion: true from: '2025-01-01' to: '2025-12-31'", "2025-12-31", true},
      {"covers_promotion: true from: '2025-01-01' to: '2025-12-31'", "2026-01-01", false},
      {"scopes: 'AWARDS' from: '2025-01-01' to: '2025-12-31'", "2025-06-01", false},
      {"veto: true from: '2025-01-01'", "2030-01-01", true},
      {"veto: true from: '2025-01-01' lifted_on: '2026-01-01'", "2025-12-31", true},
      {"veto: true from: '2025-01-01' lifted_on: '2026-01-01'", "2026-01-01", false},
      {"veto: true from: '2025-01-01' withdrawn_by: 'x'", "2025-06-01", false},
  };
  for (const Barred& test : cases) {
    const Dossier dossier =
        DossierOf("start_of_teaching: '2018-09-01' bars { bar_id: 'B' " + std::string(test.bar) + " }");
    const Assessment assessment = Assess(SmallPolicy(), dossier, DayOf(test.day));
    EXPECT_EQ(assessment.barred(), test.barred) << test.bar << " on " << test.day;
    EXPECT_EQ(assessment.eligible(), !test.barred) << test.bar << " on " << test.day;
    if (test.barred) {
      ASSERT_EQ(assessment.bars_size(), 1);
      EXPECT_EQ(assessment.bars(0).bar_id(), "B");
      EXPECT_EQ(assessment.bars(0).lifted_on(), "");
    }
  }
}

constexpr const char* kMilestones = R"(
  milestones { milestone_id: 'standard-3' value: 3 unit: UNIT_YEAR tier: TIER_QUALIFIED confirmed_as:
    'STANDARD'
               warn_before_days: 180 leave_pauses: true title { zh: '三年达标' } })";

TEST(Milestones, AreWarnedOfBeforeTheyAreMissed) {
  Dossier dossier = DossierOf("start_of_teaching: '2022-09-01'");
  const v1::Policy policy = SmallPolicy(kMilestones);
  const auto on = [&](const char* day) { return Assess(policy, dossier, DayOf(day)).milestones(0); };
  EXPECT_EQ(on("2025-03-04").status(), dossier::v1::MILESTONE_STATUS_AHEAD);
  EXPECT_EQ(on("2025-03-05").status(), dossier::v1::MILESTONE_STATUS_NEAR);
  EXPECT_EQ(on("2025-09-01").status(), dossier::v1::MILESTONE_STATUS_NEAR);
  EXPECT_EQ(on("2025-09-02").status(), dossier::v1::MILESTONE_STATUS_OVERDUE);
  EXPECT_EQ(on("2025-09-02").due_on(), "2025-09-01");
  EXPECT_EQ(Assess(policy, dossier, DayOf("2025-03-05")).warnings(0).kind(),
            dossier::v1::WARNING_KIND_MILESTONE_NEAR);
  *dossier.add_leaves() = DossierOf("leaves { from: '2024-01-01' to: '2024-01-31' }").leaves(0);
  EXPECT_EQ(on("2025-09-02").due_on(), "2025-10-02");
  *dossier.add_milestones() =
      DossierOf("milestones { event_id: 'm' kind: 'STANDARD' date: '2025-06-30' }").milestones(0);
  EXPECT_EQ(on("2025-09-02").status(), dossier::v1::MILESTONE_STATUS_REACHED);
  EXPECT_EQ(on("2025-09-02").reached_on(), "2025-06-30");
  EXPECT_EQ(on("2025-06-29").status(), dossier::v1::MILESTONE_STATUS_NEAR);
}

TEST(Warnings, NameEndingTermsAndPairsWithoutContact) {
  const v1::Policy policy = SmallPolicy(R"(
    limits { kind: LIMIT_KIND_TIER_TERM_WARNING value: 90 unit: UNIT_DAY }
    limits { kind: LIMIT_KIND_MENTORING_CONTACT value: 14 unit: UNIT_DAY })");
  Dossier dossier = DossierOf(R"(
    start_of_teaching: '2010-09-01'
    tiers { event_id: 'd' tier: TIER_BACKBONE since: '2023-01-01' until: '2026-06-30' }
    pairings { pairing_id: 'pair' event_id: 'p' as_mentor: true from: '2026-03-01' })");
  EXPECT_EQ(Assess(policy, dossier, DayOf("2026-03-15")).warnings_size(), 0);
  const Assessment silent = Assess(policy, dossier, DayOf("2026-03-16"));
  ASSERT_EQ(silent.warnings_size(), 1);
  EXPECT_EQ(silent.warnings(0).kind(), dossier::v1::WARNING_KIND_PAIRING_WITHOUT_CONTACT);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_MENTORING_SESSION, "2026-03-25").set_subject_id("pair");
  const Assessment ending = Assess(policy, dossier, DayOf("2026-04-01"));
  ASSERT_EQ(ending.warnings_size(), 1);
  EXPECT_EQ(ending.warnings(0).kind(), dossier::v1::WARNING_KIND_TERM_ENDING);
  EXPECT_EQ(ending.warnings(0).due_on(), "2026-06-30");
}

TEST(Totals, ShowTheRunningYearAndAllTime) {
  Dossier dossier = DossierOf("start_of_teaching: '2018-09-01'");
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2024-05-01", 30);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2025-10-01", 12.5);
  const Assessment assessment = Assess(SmallPolicy(), dossier, DayOf("2026-01-31"));
  std::string text;
  for (const auto& total : assessment.totals()) {
    text += v1::Period_Name(total.window().period()) + "=" + std::to_string(total.amount()) + " ";
  }
  EXPECT_EQ(text, "PERIOD_TERM=12.500000 PERIOD_SCHOOL_YEAR=12.500000 PERIOD_EVER=42.500000 ");
}

TEST(Simulator, JudgesAnotherTierOnDemand) {
  const Dossier dossier = DossierOf(R"(
    start_of_teaching: '2024-09-01' tiers { event_id: 'd' tier: TIER_QUALIFIED since: '2025-01-01'
      exceptional: true })");
  const Assessment assessment =
      AssessFor(SmallPolicy(), dossier, DayOf("2026-01-01"), scale::v1::TIER_QUALIFIED);
  EXPECT_EQ(assessment.next_tier(), scale::v1::TIER_QUALIFIED);
  EXPECT_FALSE(Result(assessment, "years").met());
}

TEST(Assess, ASubjectTaughtOnlyLaterSaysNothingOfADayBefore) {
  const dossier::v1::Dossier dossier = tests::DossierOf(R"(
      teacher_id: 'T' start_of_teaching: '2018-09-01' subject: 'art' stage: STAGE_JUNIOR_SECONDARY
      posts { post_id: 'p' from: '2018-09-01' to: '2023-08-31' subject: 'maths' stage: STAGE_PRIMARY }
      posts { post_id: 'q' from: '2024-02-01' subject: 'art' stage: STAGE_JUNIOR_SECONDARY })");
  v1::Applicability art;
  art.add_subjects("art");
  v1::Applicability primary;
  primary.add_stages(scale::v1::STAGE_PRIMARY);
  for (const char* day : {"2022-01-01", "2023-12-01"}) {  // in the first post, and between the two
    const Facts facts(dossier, DayOf(day));
    EXPECT_FALSE(Applies(art, facts)) << day;
    EXPECT_TRUE(Applies(primary, facts)) << day;
  }
  const Facts now(dossier, DayOf("2024-02-01"));
  EXPECT_TRUE(Applies(art, now));
  EXPECT_FALSE(Applies(primary, now));
}

}  // namespace
}  // namespace qinglan::progression
