// The policy that is shipped says everything that it must, and three teachers are judged by it.
#include <gmock/gmock.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "projections/progression/assess.h"
#include "projections/progression/policy/policy_check.h"
#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Assessment;
using dossier::v1::Dossier;
using testing::ElementsAre;
using testing::IsEmpty;
using tests::AddPiece;
using tests::DayOf;
using tests::ShippedPolicy;

TEST(ShippedPolicy, PassesItsOwnCheck) {
  std::vector<std::string> faults;
  for (const PolicyFault& fault : CheckPolicy(ShippedPolicy(), true))
    faults.push_back(fault.path + " " + fault.rule);
  EXPECT_THAT(faults, IsEmpty());
}

// Whatever message has a `value` has a unit and a window; whatever holds one, or is one, has a source. Found
// by reflection, so that a kind of number that is added later is held to it too.
void HoldsNumbers(const google::protobuf::Message& message, bool sourced, const std::string& path,
                  int& numbers) {
  const auto* descriptor = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  const auto* source = descriptor->FindFieldByName("source");
  if (source != nullptr) {
    sourced = reflection->HasField(message, source);
    EXPECT_TRUE(sourced) << path;
    const auto& said = dynamic_cast<const v1::Source&>(reflection->GetMessage(message, source));
    EXPECT_FALSE(said.text().empty()) << path;
    EXPECT_FALSE(said.ref().empty()) << path;
    EXPECT_NE(said.trust(), v1::TRUST_UNSPECIFIED) << path;
  }
  if (descriptor->FindFieldByName("value") != nullptr) {
    numbers += 1;
    EXPECT_TRUE(sourced) << path;
    EXPECT_NE(reflection->GetEnumValue(message, descriptor->FindFieldByName("unit")), 0) << path;
    const auto& window = reflection->GetMessage(message, descriptor->FindFieldByName("window"));
    EXPECT_NE(dynamic_cast<const v1::Window&>(window).period(), v1::PERIOD_UNSPECIFIED) << path;
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      HoldsNumbers(reflection->GetMessage(message, field), sourced, path + "." + field->name(), numbers);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      HoldsNumbers(reflection->GetRepeatedMessage(message, field, i), sourced,
                   path + "." + field->name() + "[" + std::to_string(i) + "]", numbers);
    }
  }
}

TEST(ShippedPolicy, EveryNumberHasPeriodUnitAndSource) {
  int numbers = 0;
  HoldsNumbers(ShippedPolicy(), false, "policy", numbers);
  EXPECT_GT(numbers, 60);
}

TEST(ShippedPolicy, WhatIsOurRecommendationSaysSo) {
  const v1::Policy policy = ShippedPolicy();
  for (const v1::Criterion& criterion : policy.criteria()) {
    const bool says = criterion.source().text().find("建议") != std::string::npos;
    EXPECT_EQ(criterion.source().trust() == v1::TRUST_RECOMMENDATION, says) << criterion.criterion_id();
  }
}

TEST(ShippedPolicy, SpeaksBothLanguages) {
  const v1::Policy policy = ShippedPolicy();
  for (const v1::Criterion& criterion : policy.criteria()) {
    EXPECT_FALSE(criterion.title().en().empty()) << criterion.criterion_id();
    EXPECT_FALSE(criterion.message().en().empty()) << criterion.criterion_id();
  }
}

// --- three teachers ---

constexpr const char* kAsOf = "2026-09-30";

void AddRatings(Dossier& dossier) {
  for (const char* year : {"2024", "2025", "2026"}) {
    for (const char* dimension : {"OVERALL", "ETHICS"}) {
      auto& rating = AddPiece(dossier, dossier::v1::EVIDENCE_KIND_RATING, std::string(year) + "-06-25");
      rating.set_subkind(dimension);
      rating.set_grade(v1::GRADE_QUALIFIED);
      rating.set_placed_on(std::string(year) + "-01-01");
    }
  }
}

dossier::v1::Evidence& AddVerified(Dossier& dossier, dossier::v1::EvidenceKind kind, const std::string& date,
                                   scale::v1::Level level) {
  auto& piece = AddPiece(dossier, kind, date);
  piece.set_level(level);
  piece.set_verification(dossier::v1::VERIFICATION_VERIFIED);
  return piece;
}

// A qualified teacher since 2021 who has all that a backbone teacher needs.
Dossier ReadyForBackbone() {
  Dossier dossier = tests::DossierOf(R"(
    teacher_id: 'T' start_of_teaching: '2018-09-01' stage: STAGE_PRIMARY
    posts { post_id: 'p' kind: 'TEACHER' from: '2018-09-01' }
    tiers { event_id: 'd1' tier: TIER_QUALIFIED since: '2021-09-10' }
    pairings { pairing_id: 'pair' event_id: 'pair1' as_mentor: true from: '2024-09-01' to: '2025-08-31' })");
  for (const char* year : {"2021", "2022", "2023", "2024", "2025"}) {
    AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, std::string(year) + "-11-15", 75);
  }
  for (int i = 0; i < 20; ++i) AddPiece(dossier, dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN, "2026-03-10");
  auto& award = AddVerified(dossier, dossier::v1::EVIDENCE_KIND_COMPETITION_AWARD, "2024-05-20",
                            scale::v1::LEVEL_COUNTY);
  award.set_subkind("LESSON");
  award.set_prize(v1::PRIZE_FIRST);
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_HONOUR, "2023-09-10").set_level(scale::v1::LEVEL_COUNTY);
  AddVerified(dossier, dossier::v1::EVIDENCE_KIND_PAPER, "2025-04-01", scale::v1::LEVEL_CITY)
      .set_author_rank(1);
  AddRatings(dossier);
  return dossier;
}

std::vector<std::string> Missing(const Assessment& assessment) {
  std::vector<std::string> ids;
  for (const auto& result : assessment.entry()) {
    if (!result.met() && result.status() != dossier::v1::CRITERION_STATUS_NOT_APPLICABLE) {
      ids.push_back(result.criterion_id());
    }
  }
  return ids;
}

TEST(WorkedExample, OneIsReadyForTheNextTier) {
  const Assessment assessment = Assess(ShippedPolicy(), ReadyForBackbone(), DayOf(kAsOf));
  EXPECT_EQ(assessment.tier(), scale::v1::TIER_QUALIFIED);
  EXPECT_EQ(assessment.next_tier(), scale::v1::TIER_BACKBONE);
  EXPECT_THAT(Missing(assessment), IsEmpty());
  EXPECT_TRUE(assessment.eligible());
  const auto hours = tests::Result(assessment, "backbone-hours");
  EXPECT_EQ(hours.got(), 375);
  EXPECT_EQ(hours.from(), "2021-10-01");
  EXPECT_EQ(hours.to(), kAsOf);
  EXPECT_EQ(hours.source().text(), "教师5年360学时培训完成率达到100%");
  ASSERT_EQ(hours.alternatives(0).windows(0).counted_size(), 5);
  EXPECT_EQ(hours.alternatives(0).windows(0).counted(0).event_id(), "e1");
}

TEST(WorkedExample, OneIsNotAndIsToldExactlyWhatIsMissing) {
  Dossier dossier = ReadyForBackbone();
  for (auto& piece : *dossier.mutable_evidence()) {
    if (piece.date() == "2022-11-15") piece.set_not_counted(dossier::v1::NOT_COUNTED_WITHDRAWN);
    if (piece.kind() == dossier::v1::EVIDENCE_KIND_PAPER) piece.set_level(scale::v1::LEVEL_COUNTY);
  }
  const Assessment assessment = Assess(ShippedPolicy(), dossier, DayOf(kAsOf));
  EXPECT_FALSE(assessment.eligible());
  EXPECT_FALSE(assessment.barred());
  EXPECT_THAT(Missing(assessment), ElementsAre("backbone-hours", "backbone-paper"));
  const auto hours = tests::Result(assessment, "backbone-hours");
  EXPECT_EQ(hours.message().zh(), "2021-10-01 至 2026-09-30 培训 300 学时,要求 360 学时,还差 60 学时。");
  ASSERT_EQ(hours.alternatives(0).windows(0).not_counted_size(), 1);
  EXPECT_EQ(hours.alternatives(0).windows(0).not_counted(0).why(), dossier::v1::NOT_COUNTED_WITHDRAWN);
  const auto paper = tests::Result(assessment, "backbone-paper");
  ASSERT_EQ(paper.alternatives(0).windows(0).not_counted_size(), 1);
  EXPECT_EQ(paper.alternatives(0).windows(0).not_counted(0).why(), dossier::v1::NOT_COUNTED_LEVEL_TOO_LOW);
}

TEST(WorkedExample, OneHasEverythingAndIsBarred) {
  Dossier dossier = ReadyForBackbone();
  *dossier.add_bars() =
      tests::DossierOf(
          "bars { bar_id: 'B' event_id: 'b1' covers_promotion: true scopes: 'AWARDS' scopes: 'PROMOTION' "
          "authority: '县教育局' document_no: '青教〔2025〕7号' from: '2025-03-01' to: '2028-02-29' }")
          .bars(0);
  const Assessment assessment = Assess(ShippedPolicy(), dossier, DayOf(kAsOf));
  EXPECT_THAT(Missing(assessment), IsEmpty());
  EXPECT_TRUE(assessment.barred());
  EXPECT_FALSE(assessment.eligible());
  ASSERT_EQ(assessment.bars_size(), 1);
  EXPECT_EQ(assessment.bars(0).document_no(), "青教〔2025〕7号");
  EXPECT_TRUE(Assess(ShippedPolicy(), dossier, DayOf("2025-02-28")).bars().empty());
}

TEST(WorkedExample, ABreachOutlivesItsBarInTheLookBack) {
  Dossier dossier = ReadyForBackbone();
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_BREACH, "2022-01-10").set_subkind("ETHICS");
  const Assessment assessment = Assess(ShippedPolicy(), dossier, DayOf(kAsOf));
  EXPECT_FALSE(assessment.barred());
  EXPECT_THAT(Missing(assessment), ElementsAre("backbone-clean"));
}

TEST(WorkedExample, ANewTeacherIsReadyAfterThreeYears) {
  Dossier dossier = tests::DossierOf(R"(
    start_of_teaching: '2023-09-01' posts { post_id: 'p' kind: 'TEACHER' from: '2023-09-01' }
    pairings { pairing_id: 'pair' event_id: 'pair1' from: '2023-09-10' to: '2025-08-31' })");
  AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, "2024-01-15", 120);
  for (int i = 0; i < 20; ++i) AddPiece(dossier, dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN, "2026-03-10");
  auto& lesson =
      AddVerified(dossier, dossier::v1::EVIDENCE_KIND_LESSON, "2026-05-10", scale::v1::LEVEL_SCHOOL);
  lesson.set_subkind("REPORT_BACK");
  AddRatings(dossier);
  const Assessment assessment = Assess(ShippedPolicy(), dossier, DayOf(kAsOf));
  EXPECT_EQ(assessment.tier(), scale::v1::TIER_NEW);
  EXPECT_THAT(Missing(assessment), IsEmpty());
  EXPECT_TRUE(assessment.eligible());
}

TEST(WorkedExample, AMasterNeedsThreeYearsAsBackboneAndTheWork) {
  Dossier dossier = ReadyForBackbone();
  *dossier.add_tiers() =
      tests::DossierOf("tiers { event_id: 'd2' tier: TIER_BACKBONE since: '2023-09-10' }").tiers(0);
  EXPECT_THAT(Missing(Assess(ShippedPolicy(), dossier, DayOf(kAsOf))),
              ElementsAre("master-lesson", "master-project", "master-papers"));
  AddVerified(dossier, dossier::v1::EVIDENCE_KIND_LESSON, "2025-05-10", scale::v1::LEVEL_CITY)
      .set_subkind("DEMONSTRATION");
  auto& project =
      AddVerified(dossier, dossier::v1::EVIDENCE_KIND_PROJECT, "2024-10-01", scale::v1::LEVEL_CITY);
  project.set_role("HOST");
  project.set_state("APPROVED");
  for (const char* date : {"2024-03-01", "2025-03-01"}) {
    auto& paper = AddVerified(dossier, dossier::v1::EVIDENCE_KIND_PAPER, date, scale::v1::LEVEL_PROVINCE);
    paper.set_words(3500);
    paper.set_author_rank(1);
  }
  EXPECT_TRUE(Assess(ShippedPolicy(), dossier, DayOf(kAsOf)).eligible());
}

}  // namespace
}  // namespace qinglan::progression
