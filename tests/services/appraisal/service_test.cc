#include "services/appraisal/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runtime/decision.h"
#include "tests/harness/stage.h"
#include "tests/services/appraisal/requests.h"

namespace qinglan::appraisal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::Id;

class AppraisalService : public testing::Test {
 protected:
  template <class Response, class Request>
  Response Ask(const Request& request, const runtime::Principal& as = {"office", "", {}}) {
    auto response = stage_.Call<Response>(request, as);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *std::move(response) : Response();
  }

  std::vector<std::string> BarsOn(const std::string& teacher, const std::string& as_of) {
    v1::ListBarsRequest request;
    request.set_teacher_id(Id(teacher));
    request.set_as_of(as_of);
    std::vector<std::string> ids;
    const auto response = Ask<v1::ListBarsResponse>(request);
    for (const v1::Bar& bar : response.bars()) ids.push_back(bar.bar_id());
    return ids;
  }

  tests::Stage stage_{"2026-03-02"};
};

TEST_F(AppraisalService, ServesEveryRpcUnderARule) {
  runtime::ServiceTable table(stage_.store(), stage_.table().environment());
  Register(table);
  EXPECT_EQ(table.CheckComplete(), absl::OkStatus());
}

TEST_F(AppraisalService, ListsTheBarsThatHoldOnADay) {
  const auto incident = Ask<v1::ReportIncidentResponse>(Report("anna"));
  const auto decided = Ask<v1::DecideIncidentResponse>(Demerit(incident.incident_id()));
  ASSERT_EQ(decided.bar_ids_size(), 1);
  const std::string bar = decided.bar_ids(0);
  const std::string veto = Ask<v1::ImposeVetoResponse>(Veto(incident.incident_id())).bar_id();
  EXPECT_THAT(BarsOn("anna", "2025-03-31"), IsEmpty());
  EXPECT_THAT(BarsOn("anna", "2025-04-01"), ElementsAre(bar));
  EXPECT_THAT(BarsOn("anna", "2025-04-10"), ElementsAre(bar, veto));
  EXPECT_THAT(BarsOn("anna", "2026-04-01"), ElementsAre(bar, veto));
  EXPECT_THAT(BarsOn("anna", "2026-04-02"), ElementsAre(veto));
  EXPECT_THAT(BarsOn("anna", ""), ElementsAre(bar, veto));
  EXPECT_THAT(BarsOn("bao", "2025-04-10"), IsEmpty());
}

TEST_F(AppraisalService, ListsAnOrganisationsOwnBarsAndNotThoseItImposed) {
  v1::ReportIncidentRequest report = Report("anna");
  report.clear_teacher_id();
  report.set_subject_org_id(Id("school"));
  const auto incident = Ask<v1::ReportIncidentResponse>(report);
  v1::DecideIncidentRequest decision = Demerit(incident.incident_id());
  decision.set_disposition(v1::DISPOSITION_ORG_CRITICISM);
  const auto decided = Ask<v1::DecideIncidentResponse>(decision);
  v1::ListOrgBarsRequest of_school;
  of_school.set_org_id(Id("school"));
  const auto bars = Ask<v1::ListOrgBarsResponse>(of_school);
  ASSERT_EQ(bars.bars_size(), 1);
  EXPECT_EQ(bars.bars(0).bar_id(), decided.bar_ids(0));
  EXPECT_TRUE(bars.bars(0).in_force());
  v1::ListOrgBarsRequest of_district;
  of_district.set_org_id(Id("district"));
  EXPECT_EQ(Ask<v1::ListOrgBarsResponse>(of_district).bars_size(), 0);
}

TEST_F(AppraisalService, ShowsAnIncidentAfterItsAppeal) {
  const auto incident = Ask<v1::ReportIncidentResponse>(Report("anna"));
  Ask<v1::DecideIncidentResponse>(Demerit(incident.incident_id()), {"decider", "", {}});
  v1::AppealDecisionRequest appeal;
  appeal.set_incident_id(incident.incident_id());
  appeal.set_grounds("事实不符");
  Ask<v1::AppealDecisionResponse>(appeal, {"anna", Id("anna"), {}});
  v1::GetIncidentRequest request;
  request.set_incident_id(incident.incident_id());
  EXPECT_TRUE(Ask<v1::GetIncidentResponse>(request).appeal_pending());
  v1::DecideAppealRequest outcome;
  outcome.set_incident_id(incident.incident_id());
  outcome.set_outcome(v1::APPEAL_OUTCOME_OVERTURNED);
  outcome.set_authority("青山县人民政府");
  outcome.set_document_number("青政〔2026〕1号");
  outcome.set_decided_on("2026-03-02");
  outcome.set_reason("证据不足");
  Ask<v1::DecideAppealResponse>(outcome, {"superior", "", {}});
  const auto after = Ask<v1::GetIncidentResponse>(request);
  EXPECT_FALSE(after.appeal_pending());
  EXPECT_EQ(after.disposition(), v1::DISPOSITION_NONE);
  EXPECT_EQ(after.appeal_outcome(), v1::APPEAL_OUTCOME_OVERTURNED);
  ASSERT_EQ(after.bars_size(), 1);
  EXPECT_TRUE(after.bars(0).void_from_start());
  EXPECT_FALSE(after.bars(0).in_force());
  EXPECT_THAT(BarsOn("anna", "2025-05-01"), IsEmpty());
}

// What a rating shows is what its correction must name.
TEST_F(AppraisalService, CorrectsARatingByTheEventThatItShows) {
  const std::string rating_id = Ask<v1::RecordAnnualRatingResponse>(Rating("anna", 2024)).rating_id();
  v1::GetRatingRequest request;
  request.set_rating_id(rating_id);
  const std::string first = Ask<v1::GetRatingResponse>(request).rating_event_id();
  v1::DeliverRatingRequest delivery;
  delivery.set_rating_id(rating_id);
  delivery.set_delivered_on("2025-07-20");
  Ask<v1::DeliverRatingResponse>(delivery);
  v1::ObjectToRatingRequest objection;
  objection.set_rating_id(rating_id);
  objection.set_grounds("公开课未计入");
  Ask<v1::ObjectToRatingResponse>(objection, {"anna", Id("anna"), {}});
  EXPECT_TRUE(Ask<v1::GetRatingResponse>(request).objected());
  v1::CorrectRatingRequest correction;
  correction.set_rating_id(rating_id);
  correction.set_corrected_event_id(first);
  correction.set_overall(v1::RATING_GRADE_EXCELLENT);
  correction.set_suggestion("多用追问");
  correction.set_corrected_on("2025-09-01");
  correction.set_reason("补计公开课");
  Ask<v1::CorrectRatingResponse>(correction);
  const auto corrected = Ask<v1::GetRatingResponse>(request);
  EXPECT_EQ(corrected.overall(), v1::RATING_GRADE_EXCELLENT);
  EXPECT_EQ(corrected.delivered_on(), "");
  EXPECT_FALSE(corrected.objected());
  EXPECT_NE(corrected.rating_event_id(), first);
  correction.set_overall(v1::RATING_GRADE_QUALIFIED);
  const auto stale = stage_.Call<v1::CorrectRatingResponse>(correction);
  EXPECT_EQ(runtime::ReasonOf(stale.status()), "NOT_THE_LATEST");
  Ask<v1::DeliverRatingResponse>(delivery);  // it has to be, again
}

}  // namespace
}  // namespace qinglan::appraisal
