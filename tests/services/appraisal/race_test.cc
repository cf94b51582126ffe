// Two writers at once, on a real log: exactly one of them may win what only one may have.
#include <gtest/gtest.h>

#include "tests/harness/race.h"
#include "tests/harness/stage.h"
#include "tests/services/appraisal/requests.h"

namespace qinglan::appraisal {
namespace {

using tests::LoserOf;
using tests::Race;

constexpr int kRounds = 25;

class AppraisalRace : public testing::Test {
 protected:
  std::string Decided(const std::string& teacher, int bars = 1) {
    const auto reported = stage_.Call<v1::ReportIncidentResponse>(Report(teacher));
    EXPECT_TRUE(reported.ok()) << reported.status();
    const auto decided =
        stage_.Call<v1::DecideIncidentResponse>(Demerit(reported->incident_id(), bars), {"decider", "", {}});
    EXPECT_TRUE(decided.ok()) << decided.status();
    bar_ids_.assign(decided->bar_ids().begin(), decided->bar_ids().end());
    return reported->incident_id();
  }

  tests::Stage stage_;
  std::vector<std::string> bar_ids_;  // of the last decision
};

TEST_F(AppraisalRace, AYearIsRatedOnce) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher = "teacher" + std::to_string(round) + "x";
    v1::RecordAnnualRatingRequest other = Rating(teacher, 2024);
    other.set_overall(v1::RATING_GRADE_EXCELLENT);
    const auto ends =
        Race({[&] { return stage_.Call<v1::RecordAnnualRatingResponse>(Rating(teacher, 2024)).status(); },
              [&] { return stage_.Call<v1::RecordAnnualRatingResponse>(other).status(); }});
    ASSERT_EQ(LoserOf(ends), "RATING_EXISTS") << round;
  }
}

TEST_F(AppraisalRace, AnIncidentIsDecidedOnce) {
  for (int round = 0; round < kRounds; ++round) {
    const auto reported = stage_.Call<v1::ReportIncidentResponse>(Report("anna"));
    ASSERT_TRUE(reported.ok()) << reported.status();
    v1::DecideIncidentRequest milder = Demerit(reported->incident_id(), 0);
    milder.set_disposition(v1::DISPOSITION_WARNING);
    const auto ends = Race({
        [&] { return stage_.Call<v1::DecideIncidentResponse>(Demerit(reported->incident_id())).status(); },
        [&] { return stage_.Call<v1::DecideIncidentResponse>(milder).status(); },
    });
    ASSERT_EQ(LoserOf(ends), "INCIDENT_DECIDED") << round;
  }
}

// A bar that is in force keeps everybody from honours, however close the two come.
TEST_F(AppraisalRace, NoHonourIsAwardedAfterAVeto) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher = "teacher" + std::to_string(round) + "x";
    const std::string incident_id = Decided(teacher, 0);
    uint64_t veto = 0;
    uint64_t honour = 0;
    const auto ends = Race({[&] {
                              const auto answer = stage_.Call<v1::ImposeVetoResponse>(Veto(incident_id));
                              if (answer.ok()) veto = answer->position();
                              return answer.status();
                            },
                            [&] {
                              const auto answer =
                                  stage_.Call<v1::AwardHonourResponse>(Honour(teacher, "优秀教师"));
                              if (answer.ok()) honour = answer->position();
                              return answer.status();
                            }});
    ASSERT_TRUE(ends[0].ok()) << ends[0];
    if (ends[1].ok()) {
      ASSERT_LT(honour, veto) << round;
    } else {
      ASSERT_EQ(runtime::ReasonOf(ends[1]), "BARRED_FROM_AWARDS") << round;
    }
  }
}

TEST_F(AppraisalRace, ABarIsLiftedOnce) {
  for (int round = 0; round < kRounds; ++round) {
    Decided("anna");
    const auto lift = [&] {
      v1::LiftBarRequest request;
      request.set_bar_id(bar_ids_.at(0));
      request.set_lifted_on("2025-12-01");
      request.set_authority("青山县教育局");
      request.set_document_number("青教〔2025〕30号");
      request.set_reason("表现良好");
      return stage_.Call<v1::LiftBarResponse>(request).status();
    };
    ASSERT_EQ(LoserOf(Race({lift, lift})), "ALREADY_LIFTED") << round;
  }
}

}  // namespace
}  // namespace qinglan::appraisal
