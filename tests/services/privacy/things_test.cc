// Texts that are sealed for a thing: erased with it, held with whom they are about, and nobody else's.
#include <gmock/gmock.h>

#include "eventstore/privacy/sealed_text.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "qinglan/training/v1/training_events.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWhy[] = "王老师突发疾病";

class ThingsTest : public SchoolTest {
 protected:
  template <class Response, class Request>
  Response Ask(const Request& request) {
    const auto response = stage_.Call<Response>(request);
    EXPECT_TRUE(response.ok()) << request.GetTypeName() << ": " << response.status();
    return response.value_or(Response());
  }

  absl::StatusOr<privacy::v1::EraseThingTextResponse> EraseThing(privacy::v1::ThingKind kind,
                                                                 const std::string& id,
                                                                 const std::string& as_teacher = "") {
    privacy::v1::EraseThingTextRequest request;
    request.set_kind(kind);
    request.set_thing_id(id);
    request.set_authority("县教育局");
    return stage_.Call<privacy::v1::EraseThingTextResponse>(request, {"tester", as_teacher, {}});
  }

  std::string Programme() {
    training::v1::DefineProgrammeRequest define;
    define.set_org_id(school_);
    define.set_starts_on("2026-01-01");
    *define.mutable_terms() = Terms("骨干研修");
    return Ask<training::v1::DefineProgrammeResponse>(define).programme_id();
  }

  static training::v1::ProgrammeTerms Terms(const std::string& title) {
    training::v1::ProgrammeTerms terms;
    terms.set_title(title);
    terms.set_level(scale::v1::LEVEL_COUNTY);
    terms.set_direction(training::v1::DIRECTION_IN);
    terms.set_credit_tenths(1000);
    terms.mutable_credit_rule()->set_basis(training::v1::CREDIT_BASIS_PER_BLOCK);
    terms.mutable_credit_rule()->add_counted(training::v1::ATTENDANCE_STATUS_PRESENT);
    return terms;
  }

  std::string Session(const std::string& trainer_id) {
    training::v1::ScheduleSessionRequest request;
    request.set_programme_id(Programme());
    request.set_title("场次");
    request.set_place("报告厅");
    request.set_capacity(10);
    request.set_trainer_teacher_id(trainer_id);
    if (trainer_id.empty()) request.set_trainer_name("外聘刘某");
    auto& block = *request.add_blocks();
    block.set_date("2026-04-01");
    block.set_half(scale::v1::HALF_MORNING);
    return Ask<training::v1::ScheduleSessionResponse>(request).session_id();
  }

  void Enrol(const std::string& session_id, const std::string& teacher_id) {
    training::v1::EnrolTeacherRequest request;
    request.set_session_id(session_id);
    request.set_teacher_id(teacher_id);
    Ask<training::v1::EnrolTeacherResponse>(request);
  }

  void Cancel(const std::string& session_id) {
    training::v1::CancelSessionRequest request;
    request.set_session_id(session_id);
    request.set_reason(kWhy);
    Ask<training::v1::CancelSessionResponse>(request);
  }

  // Of the one stored event of this type, opened for a reader.
  template <class Event>
  Event Opened() {
    for (const auto& stored : stage_.StoredEvents()) {
      auto event = runtime::As<Event>(stored.View());
      if (!event.has_value()) continue;
      const absl::Status opened =
          stage_.sealing().OpenEvent(stored.View().Id(), *event, runtime::Language::kChinese);
      EXPECT_TRUE(opened.ok()) << opened;
      return *event;
    }
    ADD_FAILURE() << "nothing of " << Event::descriptor()->name();
    return {};
  }

  void ExpectNowhereInTheLog(const std::string& text) {
    for (const auto& event : stage_.StoredEvents())
      EXPECT_THAT(event.payload, Not(HasSubstr(text))) << event.type;
  }
};

TEST_F(ThingsTest, WhyASessionWasCancelledIsErasedWithItAndStandsNowhereElse) {
  const std::string anna = Register("安娜", "1001");
  const std::string session = Session("");
  Enrol(session, anna);
  Cancel(session);
  ExpectNowhereInTheLog(kWhy);
  EXPECT_EQ(Opened<training::v1::SessionCancelled>().reason(), kWhy);
  const auto erased = EraseThing(privacy::v1::THING_KIND_SESSION, session);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(Opened<training::v1::SessionCancelled>().reason(), kErased);
  EXPECT_EQ(Opened<training::v1::SessionScheduled>().trainer_name(), kErased);
  const auto withdrawn = Opened<training::v1::EnrolmentWithdrawn>();
  EXPECT_EQ(withdrawn.cause(), training::v1::WITHDRAWAL_CAUSE_SESSION_CANCELLED);
  EXPECT_EQ(withdrawn.reason(), "") << "the session says why";
}

TEST_F(ThingsTest, ASessionIsCancelledThoughOneWhoIsEnrolledWasErased) {
  const std::string anna = Register("安娜", "1001");
  const std::string session = Session("");
  Enrol(session, anna);
  ASSERT_TRUE(Erase(anna).ok());
  Cancel(session);
  EXPECT_EQ(Opened<training::v1::SessionCancelled>().reason(), kWhy);
  EXPECT_EQ(Opened<training::v1::EnrolmentWithdrawn>().teacher_id(), anna);
}

TEST_F(ThingsTest, ASessionsTextsAreHeldWithItsTrainerAndNotWithThoseWhoAttend) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  const std::string session = Session(bela);
  Enrol(session, anna);
  ASSERT_TRUE(Hold(anna).ok());
  const auto hold = Hold(bela);
  ASSERT_TRUE(hold.ok()) << hold.status();
  const absl::Status refused = EraseThing(privacy::v1::THING_KIND_SESSION, session).status();
  EXPECT_EQ(runtime::ReasonOf(refused), "LEGAL_HOLD");
  EXPECT_EQ(runtime::DetailOf(refused)->metadata().at("hold_id"), hold->hold_id());
  EXPECT_EQ(runtime::ReasonOf(EraseThing(privacy::v1::THING_KIND_SESSION, session, bela).status()),
            "OWN_PRIVACY");
  privacy::v1::ReleaseHoldRequest release;
  release.set_hold_id(hold->hold_id());
  release.set_authority("县人民法院");
  release.set_reason("结案");
  Ask<privacy::v1::ReleaseHoldResponse>(release);
  EXPECT_TRUE(EraseThing(privacy::v1::THING_KIND_SESSION, session, anna).ok());
}

// One report's texts go, and the school's others stay, and more may follow.
TEST_F(ThingsTest, WhatWasReportedOfASchoolIsErasedIncidentByIncident) {
  const auto report = [&](const std::string& summary) {
    appraisal::v1::ReportIncidentRequest request;
    request.set_org_id(school_);
    request.set_subject_org_id(school_);
    request.set_kind(appraisal::v1::INCIDENT_KIND_TEACHING);
    request.set_happened_on("2026-03-01");
    request.set_summary(summary);
    return Ask<appraisal::v1::ReportIncidentResponse>(request).incident_id();
  };
  const auto summary_of = [&](const std::string& incident_id) {
    appraisal::v1::GetIncidentRequest request;
    request.set_incident_id(incident_id);
    return Ask<appraisal::v1::GetIncidentResponse>(request).summary();
  };
  const std::string first = report("家长刘某反映");
  const std::string second = report("家长陈某反映");
  const auto erased = EraseThing(privacy::v1::THING_KIND_INCIDENT, first);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(privacy::OpenReceipt(erased->receipt(), ReceiptKey().verifier())->subject, "incident:" + first);
  EXPECT_EQ(summary_of(first), kErased);
  EXPECT_EQ(summary_of(second), "家长陈某反映");
  EXPECT_EQ(summary_of(report("家长周某反映")), "家长周某反映");
  ExpectNowhereInTheLog("家长");
  EXPECT_EQ(runtime::ReasonOf(EraseThing(privacy::v1::THING_KIND_INCIDENT, first).status()), "ALREADY_DONE");
}

TEST_F(ThingsTest, ATeachersIncidentIsErasedWithTheTeacherOnly) {
  const std::string anna = Register("安娜", "1001");
  appraisal::v1::ReportIncidentRequest report;
  report.set_org_id(school_);
  report.set_teacher_id(anna);
  report.set_kind(appraisal::v1::INCIDENT_KIND_ETHICS);
  report.set_happened_on("2026-03-01");
  report.set_summary("有偿补课");
  const std::string incident = Ask<appraisal::v1::ReportIncidentResponse>(report).incident_id();
  const absl::Status refused = EraseThing(privacy::v1::THING_KIND_INCIDENT, incident).status();
  EXPECT_EQ(runtime::ReasonOf(refused), "TEXTS_OF_PERSON") << refused;
  EXPECT_EQ(runtime::DetailOf(refused)->metadata().at("teacher_id"), anna);

  appraisal::v1::DecideIncidentRequest decide;
  decide.set_incident_id(incident);
  decide.set_disposition(appraisal::v1::DISPOSITION_WARNING);
  decide.set_authority("县教育局");
  decide.set_document_number("(2026)03号");
  decide.set_decided_on("2026-03-01");
  appraisal::v1::BarTerms& bar = *decide.add_bars();
  bar.add_scopes(appraisal::v1::BAR_SCOPE_AWARDS);
  bar.set_months(6);
  bar.set_source_text("张某六个月内不得评优");
  Ask<appraisal::v1::DecideIncidentResponse>(decide);
  ExpectNowhereInTheLog("张某");
  appraisal::v1::ListBarsRequest bars;
  bars.set_teacher_id(anna);
  appraisal::v1::GetIncidentRequest get;
  get.set_incident_id(incident);
  EXPECT_EQ(Ask<appraisal::v1::ListBarsResponse>(bars).bars(0).source_text(), "张某六个月内不得评优");
  EXPECT_EQ(Ask<appraisal::v1::GetIncidentResponse>(get).bars(0).source_text(), "张某六个月内不得评优");
  ASSERT_TRUE(Erase(anna).ok());
  EXPECT_EQ(Ask<appraisal::v1::ListBarsResponse>(bars).bars(0).source_text(), kErased);
  EXPECT_EQ(Ask<appraisal::v1::GetIncidentResponse>(get).summary(), kErased);
}

TEST_F(ThingsTest, WhatWasSealedForTheOrganisationBeforeOpensStill) {
  const std::string subject = "org:" + school_;
  appraisal::v1::IncidentReported told;
  told.set_incident_id(Id("incident"));
  told.set_org_id(school_);
  told.set_subject_org_id(school_);
  told.set_happened_on("2026-03-01");
  told.set_reported_on("2026-03-01");
  const auto key = keys().KeyToSeal(subject);
  ASSERT_TRUE(key.ok()) << key.status();
  const auto place = eventstore::privacy::Place::Of(told.GetTypeName(), "summary");
  told.set_summary(eventstore::privacy::Seal(key->key, {subject, key->version, place, {}}, "家长刘某反映"));
  stage_.Given({runtime::MakeEvent(told, absl::CivilDay(2026, 3, 1),
                                   {"incident:" + told.incident_id(), "org:" + school_})});
  EXPECT_EQ(Opened<appraisal::v1::IncidentReported>().summary(), "家长刘某反映");
  appraisal::v1::GetIncidentRequest get;
  get.set_incident_id(told.incident_id());
  EXPECT_EQ(Ask<appraisal::v1::GetIncidentResponse>(get).summary(), "家长刘某反映");
}

TEST_F(ThingsTest, WhyAProgrammeWasRevisedIsErasedWithIt) {
  const std::string programme = Programme();
  training::v1::ReviseProgrammeRequest revise;
  revise.set_programme_id(programme);
  *revise.mutable_terms() = Terms("骨干研修二期");
  revise.set_reason(kWhy);
  Ask<training::v1::ReviseProgrammeResponse>(revise);
  ExpectNowhereInTheLog(kWhy);
  EXPECT_EQ(Opened<training::v1::ProgrammeRevised>().reason(), kWhy);
  ASSERT_TRUE(EraseThing(privacy::v1::THING_KIND_PROGRAMME, programme).ok());
  EXPECT_EQ(Opened<training::v1::ProgrammeRevised>().reason(), kErased);
  EXPECT_EQ(Opened<training::v1::ProgrammeRevised>().terms().title(), "骨干研修二期");
  EXPECT_TRUE(absl::IsNotFound(EraseThing(privacy::v1::THING_KIND_PROGRAMME, Id("nothing")).status()));
}

}  // namespace
}  // namespace qinglan::tests
