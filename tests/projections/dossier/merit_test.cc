// Outputs, projects, ratings, honours, breaches and bars in a dossier.
#include <gtest/gtest.h>

#include <string>

#include "projections/progression/facts.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "tests/projections/dossier/teller.h"

namespace qinglan::dossier {
namespace {

using tests::Teller;

namespace app = appraisal::v1;
namespace res = research::v1;

// Pieces that count on a day.
int Counting(const Teller& teller, const char* day) {
  const progression::Facts facts(teller.dossier(), *progression::ParseDay(day));
  int count = 0;
  for (const auto& piece : facts.pieces) {
    if (piece.not_counted == v1::NOT_COUNTED_UNSPECIFIED) count += 1;
  }
  return count;
}

constexpr const char* kPaper =
    "output_id: 'o' org_id: 'school' teacher_id: 'anna' claim { title: '论作业' level: LEVEL_CITY "
    "achieved_on: '2025-05-01' author_rank: 1 paper { venue: '教研' venue_kind: VENUE_KIND_JOURNAL words: "
    "3200 } }";

TEST(Research, AnOutputIsVerifiedRejectedAndClaimedAgain) {
  Teller teller;
  teller.Tell<res::OutputSubmitted>(kPaper, "2025-05-01");
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_PAPER);
  EXPECT_EQ(teller.piece(0).subkind(), "JOURNAL");
  EXPECT_EQ(teller.piece(0).words(), 3200u);
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_PENDING);
  teller.Tell<res::OutputRejected>("output_id: 'o' teacher_id: 'anna'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_REJECTED);
  teller.Tell<res::OutputResubmitted>(kPaper);
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_PENDING);
  teller.Tell<res::OutputVerified>("output_id: 'o' teacher_id: 'anna'");
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_VERIFIED);
  teller.Tell<res::OutputVerificationRevoked>("output_id: 'o' teacher_id: 'anna'");
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_PENDING);
  teller.Tell<res::OutputWithdrawn>("output_id: 'o' teacher_id: 'anna'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  EXPECT_EQ(teller.piece(0).amendments_size(), 5);
}

struct Prizes {
  res::Prize recorded;
  progression::v1::Prize folded;
};

TEST(Research, PrizesKeepTheirOrder) {
  const Prizes cases[] = {
      {res::PRIZE_SPECIAL, progression::v1::PRIZE_SPECIAL},  {res::PRIZE_FIRST, progression::v1::PRIZE_FIRST},
      {res::PRIZE_SECOND, progression::v1::PRIZE_SECOND},    {res::PRIZE_THIRD, progression::v1::PRIZE_THIRD},
      {res::PRIZE_EXCELLENCE, progression::v1::PRIZE_MERIT},
  };
  for (const Prizes& test : cases) {
    Teller teller;
    teller.Tell<res::OutputSubmitted>(
        "output_id: 'o' teacher_id: 'anna' claim { title: '优质课' level: LEVEL_COUNTY "
        "achieved_on: '2025-05-01' award { kind: AWARD_KIND_LESSON prize: " +
        res::Prize_Name(test.recorded) + " } }");
    EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_COMPETITION_AWARD);
    EXPECT_EQ(teller.piece(0).subkind(), "LESSON");
    EXPECT_EQ(teller.piece(0).prize(), test.folded);
  }
}

TEST(Research, ACorrectionMayMakeItAnotherKind) {
  Teller teller;
  teller.Tell<res::OutputSubmitted>(kPaper);
  teller.Tell<res::OutputCorrected>(
      "output_id: 'o' claim { title: '案例' level: LEVEL_COUNTY achieved_on: '2025-06-01' "
      "award { kind: AWARD_KIND_PAPER prize: PRIZE_FIRST } }");
  ASSERT_EQ(teller.dossier().evidence_size(), 1);
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_COMPETITION_AWARD);
  EXPECT_EQ(teller.piece(0).words(), 0u);
  EXPECT_EQ(teller.piece(0).date(), "2025-06-01");
}

constexpr const char* kMembers =
    "members { teacher_id: 'ben' role: MEMBER_ROLE_HOST rank: 1 } members { teacher_id: 'anna' "
    "role: MEMBER_ROLE_PARTICIPANT rank: 2 } ";

TEST(Research, EachStateOfAProjectIsAFactOfItsDay) {
  Teller teller;
  teller.Tell<res::ProjectProposed>(std::string("project_id: 'p' ") + kMembers);
  EXPECT_EQ(teller.dossier().evidence_size(), 0);
  teller.Tell<res::ProjectApproved>(
      std::string("project_id: 'p' title: '减负' level: LEVEL_CITY approved_on: '2023-10-01' ") + kMembers);
  teller.Tell<res::ProjectMidtermRecorded>(
      std::string(
          "project_id: 'p' level: LEVEL_CITY outcome: MIDTERM_OUTCOME_TO_MEND inspected_on: '2024-10-01' ") +
      kMembers);
  teller.Tell<res::ProjectMidtermRecorded>(
      std::string(
          "project_id: 'p' level: LEVEL_CITY outcome: MIDTERM_OUTCOME_PASSED inspected_on: '2024-12-01' ") +
      kMembers);
  teller.Tell<res::ProjectConcluded>(
      std::string("project_id: 'p' title: '减负' level: LEVEL_CITY concluded_on: '2025-10-01' ") + kMembers);
  ASSERT_EQ(teller.dossier().evidence_size(), 3);
  EXPECT_EQ(teller.piece(0).state(), "APPROVED");
  EXPECT_EQ(teller.piece(0).role(), "PARTICIPANT");
  EXPECT_EQ(teller.piece(0).author_rank(), 2u);
  EXPECT_EQ(teller.piece(1).state(), "MIDTERM");
  EXPECT_EQ(teller.piece(1).title(), "减负");
  EXPECT_EQ(teller.piece(2).date(), "2025-10-01");
}

TEST(Research, ARevokedProjectCountsNoLongerFromItsDayOn) {
  Teller teller;
  teller.Tell<res::ProjectApproved>(
      std::string("project_id: 'p' level: LEVEL_CITY approved_on: '2023-10-01' ") + kMembers);
  teller.Tell<res::ProjectTerminated>(
      std::string("project_id: 'p' kind: TERMINATION_KIND_REVOKED terminated_on: '2025-01-10' ") + kMembers);
  EXPECT_EQ(Counting(teller, "2025-01-09"), 1);
  EXPECT_EQ(Counting(teller, "2025-01-10"), 0);
}

TEST(Research, ANewPartInAProjectHoldsFromItsDayOn) {
  Teller teller;
  teller.Tell<res::ProjectApproved>(
      std::string("project_id: 'p' level: LEVEL_CITY approved_on: '2023-10-01' ") + kMembers);
  teller.Tell<res::ProjectMembersChanged>(
      "project_id: 'p' host_teacher_id: 'anna' members { teacher_id: 'anna' role: MEMBER_ROLE_HOST rank: 1 } "
      "left_teacher_ids: 'ben' changed_on: '2024-09-01'");
  ASSERT_EQ(teller.dossier().evidence_size(), 2);
  EXPECT_EQ(teller.piece(0).until(), "2024-08-31");
  EXPECT_EQ(teller.piece(1).role(), "HOST");
  EXPECT_EQ(teller.piece(1).state(), "APPROVED");
  EXPECT_EQ(teller.piece(1).level(), scale::v1::LEVEL_CITY);
  teller.Tell<res::ProjectMembersChanged>(
      "project_id: 'p' members { teacher_id: 'chen' role: MEMBER_ROLE_HOST rank: 1 } left_teacher_ids: "
      "'anna' "
      "changed_on: '2025-09-01'");
  EXPECT_EQ(Counting(teller, "2025-08-31"), 1);
  EXPECT_EQ(Counting(teller, "2025-09-01"), 0);
}

// Pieces of a project that count on a day, as "STATE ROLE" in the order of the log.
std::string StatesOn(const Teller& teller, const char* day) {
  const progression::Facts facts(teller.dossier(), *progression::ParseDay(day));
  std::string states;
  for (const auto& piece : facts.pieces) {
    if (piece.not_counted != v1::NOT_COUNTED_UNSPECIFIED) continue;
    states += piece.evidence->state() + " " + piece.evidence->role() + ";";
  }
  return states;
}

TEST(Research, AChangeOfMembersMovesNoStateToAnotherDay) {
  constexpr const char* kHost =
      "project_id: 'p' members { teacher_id: 'anna' role: MEMBER_ROLE_HOST rank: 1 } changed_on: ";
  Teller teller;
  teller.Tell<res::ProjectApproved>(
      std::string("project_id: 'p' level: LEVEL_CITY approved_on: '2023-10-01' ") + kMembers);
  teller.Tell<res::ProjectMidtermRecorded>(
      std::string("project_id: 'p' level: LEVEL_CITY outcome: MIDTERM_OUTCOME_PASSED "
                  "inspected_on: '2024-12-01' ") +
      kMembers);
  // Recorded late: it was so between approval and inspection.
  teller.Tell<res::ProjectMembersChanged>(std::string(kHost) + "'2024-09-01'");
  EXPECT_EQ(StatesOn(teller, "2024-08-31"), "APPROVED PARTICIPANT;");
  EXPECT_EQ(StatesOn(teller, "2024-09-01"), "APPROVED HOST;");
  EXPECT_EQ(StatesOn(teller, "2024-11-30"), "APPROVED HOST;");
  EXPECT_EQ(StatesOn(teller, "2024-12-01"), "APPROVED HOST;MIDTERM HOST;");

  Teller earlier;
  earlier.Tell<res::ProjectApproved>(
      std::string("project_id: 'p' level: LEVEL_CITY approved_on: '2023-10-01' ") + kMembers);
  earlier.Tell<res::ProjectMembersChanged>(std::string(kHost) + "'2023-09-01'");  // before it was approved
  EXPECT_EQ(StatesOn(earlier, "2023-09-30"), "");
  EXPECT_EQ(StatesOn(earlier, "2023-10-01"), "APPROVED HOST;");
}

TEST(Appraisal, ARatingIsOnePieceADimension) {
  Teller teller;
  teller.Tell<app::AnnualRatingRecorded>(
      "rating_id: 'r' teacher_id: 'anna' school_year: 2024 dimension_set: 'five' overall: "
      "RATING_GRADE_QUALIFIED "
      "dimensions { code: 'virtue' grade: RATING_GRADE_EXCELLENT ethics: true } "
      "dimensions { code: 'research' grade: RATING_GRADE_BARELY_QUALIFIED } rated_on: '2025-07-01'");
  ASSERT_EQ(teller.dossier().evidence_size(), 3);
  EXPECT_EQ(teller.piece(0).subkind(), "OVERALL");
  EXPECT_EQ(teller.piece(0).grade(), progression::v1::GRADE_QUALIFIED);
  EXPECT_EQ(teller.piece(0).date(), "2025-07-01");
  EXPECT_EQ(teller.piece(0).placed_on(), "2025-01-01");  // in the school year 2024-09 to 2025-08
  EXPECT_EQ(teller.piece(1).subkind(), "ETHICS");
  EXPECT_EQ(teller.piece(1).grade(), progression::v1::GRADE_EXCELLENT);
  EXPECT_EQ(teller.piece(2).subkind(), "research");
  EXPECT_EQ(teller.piece(2).grade(), progression::v1::GRADE_BASIC);
  teller.Tell<app::AnnualRatingCorrected>(
      "rating_id: 'r' teacher_id: 'anna' school_year: 2024 dimension_set: 'five' overall: "
      "RATING_GRADE_UNQUALIFIED "
      "dimensions { code: 'virtue' grade: RATING_GRADE_UNQUALIFIED ethics: true } rated_on: '2025-07-01'");
  ASSERT_EQ(teller.dossier().evidence_size(), 3);
  EXPECT_EQ(teller.piece(0).grade(), progression::v1::GRADE_UNQUALIFIED);
  EXPECT_EQ(teller.piece(0).amendments_size(), 1);
  EXPECT_EQ(teller.piece(2).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  teller.Tell<app::RatingDelivered>("rating_id: 'r' delivered_on: '2025-07-10'");
  EXPECT_EQ(teller.piece(0).amendments_size(), 2);
}

TEST(Appraisal, ADimensionLeftOutByACorrectionCountsWhenItIsRatedAgain) {
  Teller teller;
  const std::string rating =
      "rating_id: 'r' teacher_id: 'anna' school_year: 2024 overall: RATING_GRADE_QUALIFIED "
      "rated_on: '2025-07-01' ";
  const std::string ethics = "dimensions { code: 'virtue' grade: RATING_GRADE_QUALIFIED ethics: true } ";
  teller.Tell<app::AnnualRatingRecorded>(rating + ethics);
  EXPECT_EQ(Counting(teller, "2025-08-01"), 2);
  teller.Tell<app::AnnualRatingCorrected>(rating);
  EXPECT_EQ(Counting(teller, "2025-08-01"), 1);
  teller.Tell<app::AnnualRatingCorrected>(rating + ethics);
  EXPECT_EQ(Counting(teller, "2025-08-01"), 2);
  EXPECT_EQ(teller.piece(1).withdrawn_by(), "");
  EXPECT_EQ(teller.piece(1).amendments_size(), 2);
}

TEST(Appraisal, OfSeveralEthicsDimensionsTheWorstCounts) {
  Teller teller;
  teller.Tell<app::AnnualRatingRecorded>(
      "rating_id: 'r' teacher_id: 'anna' school_year: 2024 overall: RATING_GRADE_UNQUALIFIED "
      "dimensions { code: 'virtue' grade: RATING_GRADE_UNQUALIFIED ethics: true } "
      "dimensions { code: 'conduct' grade: RATING_GRADE_EXCELLENT ethics: true } rated_on: '2025-07-01'");
  ASSERT_EQ(teller.dossier().evidence_size(), 2);
  EXPECT_EQ(teller.piece(1).subkind(), "ETHICS");
  EXPECT_EQ(teller.piece(1).grade(), progression::v1::GRADE_UNQUALIFIED);
  EXPECT_EQ(teller.piece(1).amendments_size(), 0);
}

TEST(Appraisal, AnHonourIsHeldUntilItIsRevoked) {
  Teller teller;
  teller.Tell<app::HonourAwarded>(
      "honour_id: 'h' teacher_id: 'anna' title: '教坛新秀' level: LEVEL_COUNTY awarded_on: '2022-09-10' "
      "valid_until: '2024-09-09'");
  EXPECT_EQ(Counting(teller, "2025-01-01"), 1);  // its term is over; it was earned all the same
  teller.Tell<app::HonourRevoked>("honour_id: 'h' teacher_id: 'anna' revoked_on: '2025-06-01'");
  EXPECT_EQ(Counting(teller, "2025-05-31"), 1);
  EXPECT_EQ(Counting(teller, "2025-06-01"), 0);
}

TEST(Appraisal, OnlyADecisionThatFindsABreachIsOne) {
  Teller teller;
  teller.Tell<app::IncidentReported>("incident_id: 'i' teacher_id: 'anna' kind: INCIDENT_KIND_ETHICS");
  teller.Tell<app::IncidentDecided>(
      "incident_id: 'j' teacher_id: 'anna' disposition: DISPOSITION_NONE decided_on: '2025-01-01'");
  EXPECT_EQ(teller.dossier().evidence_size(), 0);
  teller.Tell<app::IncidentDecided>(
      "incident_id: 'i' teacher_id: 'anna' kind: INCIDENT_KIND_ETHICS "
      "disposition: DISPOSITION_DEMERIT decided_on: '2025-02-01'");
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_BREACH);
  EXPECT_EQ(teller.piece(0).subkind(), "ETHICS");
  EXPECT_EQ(teller.piece(0).state(), "DEMERIT");
  teller.Tell<app::AppealDecided>(
      "incident_id: 'i' teacher_id: 'anna' outcome: APPEAL_OUTCOME_AMENDED "
      "disposition: DISPOSITION_WARNING");
  EXPECT_EQ(teller.piece(0).state(), "WARNING");
  teller.Tell<app::AppealDecided>(
      "incident_id: 'i' teacher_id: 'anna' outcome: APPEAL_OUTCOME_OVERTURNED "
      "disposition: DISPOSITION_NONE");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
}

struct Scopes {
  const char* bar;
  bool covers_promotion;
};

TEST(Appraisal, ABarCoversWhatItsScopesSay) {
  const Scopes cases[] = {
      {"kind: BAR_KIND_RESTRICTION scopes: BAR_SCOPE_AWARDS", false},
      {"kind: BAR_KIND_RESTRICTION scopes: BAR_SCOPE_TITLE scopes: BAR_SCOPE_PROMOTION", true},
      {"kind: BAR_KIND_RESTRICTION scopes: BAR_SCOPE_EVERYTHING", true},
      {"kind: BAR_KIND_VETO scopes: BAR_SCOPE_EVERYTHING", true},
  };
  for (const Scopes& test : cases) {
    Teller teller;
    teller.Tell<app::BarImposed>(std::string("bar_id: 'b' teacher_id: 'anna' starts_on: '2025-01-01' ") +
                                 test.bar);
    EXPECT_EQ(teller.dossier().bars(0).covers_promotion(), test.covers_promotion) << test.bar;
  }
}

TEST(Appraisal, ABarIsLiftedFromADayOnOrWasNeverThere) {
  Teller teller;
  for (const char* bar_id : {"a", "b"}) {
    teller.Tell<app::BarImposed>("bar_id: '" + std::string(bar_id) +
                                 "' teacher_id: 'anna' kind: BAR_KIND_VETO starts_on: '2025-01-01'");
  }
  teller.Tell<app::BarLifted>("bar_id: 'a' teacher_id: 'anna' lifted_on: '2025-06-01'");
  teller.Tell<app::BarLifted>("bar_id: 'b' teacher_id: 'anna' lifted_on: '2025-06-01' void_from_start: true");
  const auto in_force = [&](const char* day) {
    return progression::Facts(teller.dossier(), *progression::ParseDay(day)).bars.size();
  };
  EXPECT_EQ(in_force("2025-05-31"), 1u);
  EXPECT_EQ(in_force("2025-06-01"), 0u);
}

TEST(Appraisal, ABarOnAnOrganisationIsNobodysOwn) {
  Teller teller;
  teller.Tell<app::BarImposed>(
      "bar_id: 'b' subject_org_id: 'school' kind: BAR_KIND_RESTRICTION starts_on: '2025-01-01'");
  EXPECT_EQ(teller.dossier().bars_size(), 0);
}

}  // namespace
}  // namespace qinglan::dossier
