// What each measure counts, what a filter lets through, and the reason for what does not count.
#include "projections/progression/measures.h"

#include <gtest/gtest.h>

#include <functional>

#include <string>
#include <vector>

#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Dossier;
using dossier::v1::Evidence;
using tests::AddPiece;
using tests::DayOf;

Dossier Teacher() { return tests::DossierOf("teacher_id: 'T' start_of_teaching: '2018-09-01'"); }

Tally Of(v1::Measure measure, const Dossier& dossier, const v1::Filter& filter = {},
         bool name_outside = false) {
  const Facts facts(dossier, DayOf("2026-06-30"));
  return TallyOf(measure, filter, facts, {DayOf("2025-09-01"), DayOf("2026-06-30")}, name_outside);
}

struct Kind {
  v1::Measure measure;
  dossier::v1::EvidenceKind kind;
};

TEST(Measures, EachCountsItsOwnKindOfEvidenceWithinTheSpan) {
  const Kind cases[] = {
      {v1::MEASURE_CREDIT_HOURS, dossier::v1::EVIDENCE_KIND_TRAINING},
      {v1::MEASURE_OBSERVATIONS_GIVEN, dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN},
      {v1::MEASURE_OBSERVATIONS_RECEIVED, dossier::v1::EVIDENCE_KIND_OBSERVATION_RECEIVED},
      {v1::MEASURE_LESSONS, dossier::v1::EVIDENCE_KIND_LESSON},
      {v1::MEASURE_LECTURES, dossier::v1::EVIDENCE_KIND_LECTURE},
      {v1::MEASURE_PAPERS, dossier::v1::EVIDENCE_KIND_PAPER},
      {v1::MEASURE_PROJECTS, dossier::v1::EVIDENCE_KIND_PROJECT},
      {v1::MEASURE_COURSES, dossier::v1::EVIDENCE_KIND_COURSE},
      {v1::MEASURE_OUTPUTS, dossier::v1::EVIDENCE_KIND_OTHER_OUTPUT},
      {v1::MEASURE_COMPETITION_AWARDS, dossier::v1::EVIDENCE_KIND_COMPETITION_AWARD},
      {v1::MEASURE_HONOURS, dossier::v1::EVIDENCE_KIND_HONOUR},
      {v1::MEASURE_MENTORING_SESSIONS, dossier::v1::EVIDENCE_KIND_MENTORING_SESSION},
      {v1::MEASURE_RATINGS, dossier::v1::EVIDENCE_KIND_RATING},
      {v1::MEASURE_ICT_SKILLS, dossier::v1::EVIDENCE_KIND_ICT_SKILL},
      {v1::MEASURE_BRING_BACKS, dossier::v1::EVIDENCE_KIND_BRING_BACK},
      {v1::MEASURE_BREACHES, dossier::v1::EVIDENCE_KIND_BREACH},
      {v1::MEASURE_PREPARATIONS, dossier::v1::EVIDENCE_KIND_PREPARATION},
      {v1::MEASURE_CYCLES, dossier::v1::EVIDENCE_KIND_CYCLE},
      {v1::MEASURE_REFLECTIONS, dossier::v1::EVIDENCE_KIND_REFLECTION},
  };
  for (const Kind& test : cases) {
    Dossier dossier = Teacher();
    AddPiece(dossier, test.kind, "2025-08-31");  // the day before the span
    AddPiece(dossier, test.kind, "2025-09-01");
    AddPiece(dossier, test.kind, "2026-07-01");  // after the day of assessment
    const Tally tally = Of(test.measure, dossier);
    EXPECT_EQ(tally.hundredths, 100) << v1::Measure_Name(test.measure);
    ASSERT_EQ(tally.counted.size(), 1u) << v1::Measure_Name(test.measure);
    EXPECT_EQ(tally.counted[0].event_id(), "e2");
    EXPECT_TRUE(tally.not_counted.empty());
  }
}

TEST(Measures, HoursAreAddedInTenthsWithoutDrift) {
  Dossier dossier = Teacher();
  for (int i = 0; i < 10; ++i) AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2025-10-01", 0.1);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2025-10-02", 4.5);
  EXPECT_EQ(Of(v1::MEASURE_CREDIT_HOURS, dossier).hundredths, 550);
}

struct Filtered {
  const char* what;
  std::function<void(v1::Filter&)> ask;
  std::function<void(Evidence&)> has;
  dossier::v1::NotCounted why;  // UNSPECIFIED: it counts
};

TEST(Measures, AFilterNamesTheReason) {
  const Filtered cases[] = {
      {"level enough", [](auto& f) { f.set_level_at_least(scale::v1::LEVEL_COUNTY); },
       [](auto& e) { e.set_level(scale::v1::LEVEL_CITY); }, dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"level too low", [](auto& f) { f.set_level_at_least(scale::v1::LEVEL_COUNTY); },
       [](auto& e) { e.set_level(scale::v1::LEVEL_ZONE); }, dossier::v1::NOT_COUNTED_LEVEL_TOO_LOW},
      {"one of the kinds", [](auto& f) { f.add_kinds("PUBLIC"), f.add_kinds("DEMONSTRATION"); },
       [](auto& e) { e.set_subkind("DEMONSTRATION"); }, dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"another kind", [](auto& f) { f.add_kinds("PUBLIC"); }, [](auto& e) { e.set_subkind("RESEARCH"); },
       dossier::v1::NOT_COUNTED_OTHER_KIND},
      {"prize too low", [](auto& f) { f.set_prize_at_least(v1::PRIZE_FIRST); },
       [](auto& e) { e.set_prize(v1::PRIZE_SECOND); }, dossier::v1::NOT_COUNTED_PRIZE_TOO_LOW},
      {"a special prize is above the first", [](auto& f) { f.set_prize_at_least(v1::PRIZE_FIRST); },
       [](auto& e) { e.set_prize(v1::PRIZE_SPECIAL); }, dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"second author", [](auto& f) { f.set_author_rank_at_most(1); }, [](auto& e) { e.set_author_rank(2); },
       dossier::v1::NOT_COUNTED_AUTHOR_RANK},
      {"a prize for the person has no rank", [](auto& f) { f.set_author_rank_at_most(1); }, [](auto&) {},
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"member, not host", [](auto& f) { f.add_roles("HOST"); }, [](auto& e) { e.set_role("PARTICIPANT"); },
       dossier::v1::NOT_COUNTED_OTHER_ROLE},
      {"not verified yet", [](auto& f) { f.set_verified_only(true); },
       [](auto& e) { e.set_verification(dossier::v1::VERIFICATION_PENDING); },
       dossier::v1::NOT_COUNTED_NOT_VERIFIED},
      {"verified", [](auto& f) { f.set_verified_only(true); },
       [](auto& e) { e.set_verification(dossier::v1::VERIFICATION_VERIFIED); },
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"what nobody verifies needs no verification", [](auto& f) { f.set_verified_only(true); }, [](auto&) {},
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"unverified counts where it is not asked for", [](auto&) {},
       [](auto& e) { e.set_verification(dossier::v1::VERIFICATION_PENDING); },
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"too short", [](auto& f) { f.set_words_at_least(2000); }, [](auto& e) { e.set_words(1999); },
       dossier::v1::NOT_COUNTED_TOO_SHORT},
      {"grade too low", [](auto& f) { f.set_grade_at_least(v1::GRADE_QUALIFIED); },
       [](auto& e) { e.set_grade(v1::GRADE_BASIC); }, dossier::v1::NOT_COUNTED_GRADE_TOO_LOW},
      {"another dimension", [](auto& f) { f.add_dimensions("ETHICS"); },
       [](auto& e) { e.set_subkind("OVERALL"); }, dossier::v1::NOT_COUNTED_OTHER_KIND},
      {"not concluded", [](auto& f) { f.add_states("CONCLUDED"); }, [](auto& e) { e.set_state("APPROVED"); },
       dossier::v1::NOT_COUNTED_OTHER_STATE},
      {"withdrawn", [](auto&) {}, [](auto& e) { e.set_not_counted(dossier::v1::NOT_COUNTED_WITHDRAWN); },
       dossier::v1::NOT_COUNTED_WITHDRAWN},
      {"counts later", [](auto&) {}, [](auto& e) { e.set_counts_from("2026-07-01"); },
       dossier::v1::NOT_COUNTED_NOT_YET},
      {"counts from the day itself", [](auto&) {}, [](auto& e) { e.set_counts_from("2026-06-30"); },
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
      {"held until the day before", [](auto&) {}, [](auto& e) { e.set_until("2026-06-29"); },
       dossier::v1::NOT_COUNTED_ENDED},
      {"held until the day", [](auto&) {}, [](auto& e) { e.set_until("2026-06-30"); },
       dossier::v1::NOT_COUNTED_UNSPECIFIED},
  };
  for (const Filtered& test : cases) {
    Dossier dossier = Teacher();
    test.has(AddPiece(dossier, dossier::v1::EVIDENCE_KIND_PAPER, "2026-01-01"));
    v1::Filter filter;
    test.ask(filter);
    const Tally tally = Of(v1::MEASURE_PAPERS, dossier, filter);
    if (test.why == dossier::v1::NOT_COUNTED_UNSPECIFIED) {
      EXPECT_EQ(tally.hundredths, 100) << test.what;
    } else {
      EXPECT_EQ(tally.hundredths, 0) << test.what;
      ASSERT_EQ(tally.not_counted.size(), 1u) << test.what;
      EXPECT_EQ(tally.not_counted[0].why(), test.why) << test.what;
    }
  }
}

TEST(Measures, AnObservationWithoutAReviewYetSaysSo) {
  Dossier dossier = Teacher();
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN, "2026-06-01").set_counts_from("2026-07-05");
  const Tally tally = Of(v1::MEASURE_OBSERVATIONS_GIVEN, dossier);
  ASSERT_EQ(tally.not_counted.size(), 1u);
  EXPECT_EQ(tally.not_counted[0].why(), dossier::v1::NOT_COUNTED_NO_WRITTEN_REVIEW);
}

TEST(Measures, OutsideTheWindowIsNamedWhenAskedFor) {
  Dossier dossier = Teacher();
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_PAPER, "2024-01-01");
  const Tally tally = Of(v1::MEASURE_PAPERS, dossier, {}, true);
  ASSERT_EQ(tally.not_counted.size(), 1u);
  EXPECT_EQ(tally.not_counted[0].why(), dossier::v1::NOT_COUNTED_OUTSIDE_WINDOW);
}

TEST(Measures, AProjectCountsOnceHoweverManyStatesItReached) {
  Dossier dossier = Teacher();
  for (const char* state : {"APPROVED", "MIDTERM"}) {
    Evidence& project = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_PROJECT, "2025-10-01");
    project.set_subject_id("P");
    project.set_state(state);
  }
  const Tally tally = Of(v1::MEASURE_PROJECTS, dossier);
  EXPECT_EQ(tally.hundredths, 100);
  ASSERT_EQ(tally.not_counted.size(), 1u);
  EXPECT_EQ(tally.not_counted[0].why(), dossier::v1::NOT_COUNTED_SAME_AGAIN);
}

TEST(Measures, ASkillCountsOnce) {
  Dossier dossier = Teacher();
  for (const char* skill : {"SEEWO", "SEEWO", "KAHOOT"}) {
    AddPiece(dossier, dossier::v1::EVIDENCE_KIND_ICT_SKILL, "2025-10-01").set_subkind(skill);
  }
  EXPECT_EQ(Of(v1::MEASURE_ICT_SKILLS, dossier).hundredths, 200);
}

TEST(Measures, ARatingIsPlacedInTheYearItIsOf) {
  Dossier dossier = Teacher();
  Evidence& rating = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_RATING, "2026-06-25");
  rating.set_placed_on("2025-01-01");  // of the school year before
  EXPECT_EQ(Of(v1::MEASURE_RATINGS, dossier).hundredths, 0);
  rating.set_placed_on("2026-01-01");
  EXPECT_EQ(Of(v1::MEASURE_RATINGS, dossier).hundredths, 100);
}

TEST(Measures, PairingsCountOnTheSideAndInTheTimeTheyRan) {
  const Dossier dossier = tests::DossierOf(R"(
    start_of_teaching: '2018-09-01'
    pairings { pairing_id: 'a' event_id: 'pa' as_mentor: true from: '2023-09-01' to: '2025-08-31' }
    pairings { pairing_id: 'b' event_id: 'pb' as_mentor: true from: '2025-09-01' }
    pairings { pairing_id: 'c' event_id: 'pc' from: '2026-01-01' to: '2026-02-01' }
    pairings { pairing_id: 'd' event_id: 'pd' as_mentor: true from: '2025-10-01' withdrawn_by: 'x' }
    pairings { pairing_id: 'e' event_id: 'pe' as_mentor: true from: '2026-07-01' })");
  const Tally given = Of(v1::MEASURE_MENTORING_GIVEN, dossier);
  ASSERT_EQ(given.counted.size(), 1u);
  EXPECT_EQ(given.counted[0].event_id(), "pb");
  const Tally received = Of(v1::MEASURE_MENTORING_RECEIVED, dossier);
  ASSERT_EQ(received.counted.size(), 1u);
  EXPECT_EQ(received.counted[0].event_id(), "pc");
}

TEST(Measures, ADutyIsOverdueFromTheDayAfterItsDay) {
  const Dossier dossier = tests::DossierOf(R"(
    start_of_teaching: '2018-09-01'
    obligations { obligation_id: 'due today' event_id: 'o1' opened_on: '2026-05-01' due_on: '2026-06-30' }
    obligations { obligation_id: 'due yesterday' event_id: 'o2' opened_on: '2026-05-01' due_on: '2026-06-29' }
    obligations { obligation_id: 'closed' event_id: 'o3' opened_on: '2026-05-01' due_on: '2026-06-01'
      closed_on: '2026-06-20' }
    obligations { obligation_id: 'closed later' event_id: 'o4' opened_on: '2026-05-01' due_on: '2026-06-01'
      closed_on: '2026-07-02' })");
  const Tally tally = Of(v1::MEASURE_OVERDUE_OBLIGATIONS, dossier);
  ASSERT_EQ(tally.counted.size(), 2u);
  EXPECT_EQ(tally.counted[0].event_id(), "o2");
  EXPECT_EQ(tally.counted[1].event_id(), "o4");
}

TEST(Measures, YearsRunFromTheFirstDayAndFromTheTier) {
  Dossier dossier = tests::DossierOf(R"(
    start_of_teaching: '2018-09-01'
    tiers { event_id: 'd1' tier: TIER_QUALIFIED since: '2021-09-01' })");
  EXPECT_EQ(Of(v1::MEASURE_YEARS_OF_TEACHING, dossier).hundredths, 782);
  const Tally tier = Of(v1::MEASURE_YEARS_IN_TIER, dossier);
  EXPECT_EQ(tier.hundredths, 482);
  ASSERT_EQ(tier.counted.size(), 1u);
  EXPECT_EQ(tier.counted[0].event_id(), "d1");
}

TEST(Measures, EachHasOneUnit) {
  for (int number = v1::Measure_MIN; number <= v1::Measure_MAX; ++number) {
    if (!v1::Measure_IsValid(number) || number == v1::MEASURE_UNSPECIFIED) continue;
    EXPECT_NE(UnitOf(static_cast<v1::Measure>(number)), v1::UNIT_UNSPECIFIED) << number;
  }
}

TEST(Measures, AFailedAppraisalIsNotMadeGoodByAnotherRatingOfTheYear) {
  Dossier dossier = Teacher();
  const auto rate = [&](const char* dimension, v1::Grade grade) -> Evidence& {
    Evidence& rating = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_RATING, "2026-06-01");
    rating.set_subkind(dimension);
    rating.set_grade(grade);
    rating.set_placed_on("2026-01-01");
    return rating;
  };
  Evidence& annual = rate("OVERALL", v1::GRADE_UNQUALIFIED);
  rate("OVERALL", v1::GRADE_EXCELLENT);  // of the ethics review
  rate("ETHICS", v1::GRADE_QUALIFIED);
  v1::Filter filter;
  filter.add_dimensions("OVERALL");
  filter.set_grade_at_least(v1::GRADE_QUALIFIED);
  EXPECT_EQ(Of(v1::MEASURE_RATINGS, dossier, filter).hundredths, 0);
  EXPECT_EQ(Of(v1::MEASURE_RATINGS, dossier).hundredths, 200);  // one a dimension
  annual.set_not_counted(dossier::v1::NOT_COUNTED_WITHDRAWN);
  EXPECT_EQ(Of(v1::MEASURE_RATINGS, dossier, filter).hundredths, 100);
}

TEST(Measures, MentoringIsCountedInPersons) {
  const Dossier dossier = tests::DossierOf(R"(
      teacher_id: 'T' start_of_teaching: '2018-09-01'
      pairings { pairing_id: 'a' event_id: 'e1' as_mentor: true other_teacher_id: 'ben' from: '2025-09-01' }
      pairings { pairing_id: 'b' event_id: 'e2' as_mentor: true other_teacher_id: 'ben' from: '2026-02-01' }
      pairings { pairing_id: 'c' event_id: 'e3' as_mentor: true other_teacher_id: 'chen' from: '2026-02-01' })");
  const Tally tally = Of(v1::MEASURE_MENTORING_GIVEN, dossier);
  EXPECT_EQ(tally.hundredths, 200);
  ASSERT_EQ(tally.not_counted.size(), 1u);
  EXPECT_EQ(tally.not_counted[0].event_id(), "e2");
  EXPECT_EQ(tally.not_counted[0].why(), dossier::v1::NOT_COUNTED_SAME_AGAIN);
}

}  // namespace
}  // namespace qinglan::progression
