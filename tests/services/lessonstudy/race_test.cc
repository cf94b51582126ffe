// Two writers at once: what the decisions refuse one after the other, the log refuses side by side.
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::lessonstudy {
namespace {

constexpr int kRounds = 25;

// Runs both at the same moment.
template <class Response, class Request>
std::vector<absl::Status> Race(tests::Stage& stage, const Request& first, const Request& second) {
  std::latch start(2);
  std::vector<absl::Status> outcome(2);
  const auto run = [&](size_t who, const Request& request) {
    start.arrive_and_wait();
    outcome[who] = stage.Call<Response>(request).status();
  };
  std::thread other(run, 1, second);
  run(0, first);
  other.join();
  return outcome;
}

// Exactly one won, the other was told why not.
void ExpectOneWins(const std::vector<absl::Status>& outcome, const std::string& reason) {
  ASSERT_NE(outcome[0].ok(), outcome[1].ok()) << outcome[0] << " / " << outcome[1];
  EXPECT_EQ(runtime::ReasonOf(outcome[0].ok() ? outcome[1] : outcome[0]), reason);
}

v1::RecordObservationRequest Observation(const std::string& date) {
  v1::RecordObservationRequest request;
  request.set_observer_id(tests::Id("olga"));
  request.set_observed_id(tests::Id("anna"));
  request.set_org_id(tests::Id("school"));
  request.set_date(date);
  request.set_subject("数学");
  request.set_kind(v1::OBSERVATION_KIND_ORDINARY);
  return request;
}

TEST(RaceTest, OfTwoRecordsOfOneObservationOneIsStored) {
  tests::Stage stage;
  for (int round = 0; round < kRounds; ++round) {
    const auto request = Observation(runtime::IsoDate(absl::CivilDay(2026, 1, 1) + round));
    const auto before = stage.Events().size();
    ExpectOneWins(Race<v1::RecordObservationResponse>(stage, request, request), "OBSERVATION_TWICE");
    EXPECT_EQ(stage.Events().size(), before + 1);
  }
}

TEST(RaceTest, TwoPeriodsOfOneDayBothPass) {
  tests::Stage stage;
  for (int round = 0; round < kRounds; ++round) {
    auto first = Observation(runtime::IsoDate(absl::CivilDay(2026, 1, 1) + round));
    auto second = first;
    first.set_period_no(1);
    second.set_period_no(2);
    for (const absl::Status& status : Race<v1::RecordObservationResponse>(stage, first, second)) {
      EXPECT_TRUE(status.ok()) << status;
    }
  }
}

// An announcement and an unannounced observation of the same day cannot both hold, whichever comes first: the
// observation notes what it knew, and a later announcement is of the past.
TEST(RaceTest, AnUnannouncedObservationNeverStandsAfterItsAnnouncement) {
  for (int round = 0; round < kRounds; ++round) {
    tests::Stage stage;
    v1::AnnounceObservationRequest announce;
    announce.set_observer_id(tests::Id("olga"));
    announce.set_observed_id(tests::Id("anna"));
    announce.set_org_id(tests::Id("school"));
    announce.set_date("2026-03-02");
    auto record = Observation("2026-03-02");
    record.set_kind(v1::OBSERVATION_KIND_UNANNOUNCED);
    std::latch start(2);
    std::thread announcer([&] {
      start.arrive_and_wait();
      EXPECT_TRUE(stage.Call<v1::AnnounceObservationResponse>(announce).ok());
    });
    start.arrive_and_wait();
    const auto recorded = stage.Call<v1::RecordObservationResponse>(record);
    announcer.join();
    const std::vector<eventstore::Event> events = stage.Events();
    if (recorded.ok()) {
      ASSERT_EQ(events.size(), 2u);
      EXPECT_EQ(events[0].type, runtime::TypeOf<v1::ObservationRecorded>()) << "it was first";
    } else {
      EXPECT_EQ(runtime::ReasonOf(recorded.status()), "WAS_ANNOUNCED");
    }
  }
}

TEST(RaceTest, TheSameLessonPlanVersionIsTakenOnce) {
  tests::Stage stage;
  v1::StartCycleRequest start;
  start.set_org_id(tests::Id("maths"));
  start.set_topic("分数");
  start.set_subject("数学");
  start.add_member_ids(tests::Id("anna"));
  start.set_started_on("2026-03-01");
  const auto cycle = stage.Call<v1::StartCycleResponse>(start);
  ASSERT_TRUE(cycle.ok()) << cycle.status();
  for (uint32_t version = 1; version <= kRounds; ++version) {
    v1::AddArtefactRequest plan;
    plan.set_cycle_id(cycle->cycle_id());
    plan.set_stage(v1::CYCLE_STAGE_STANDARDS);
    plan.set_kind(v1::ARTEFACT_KIND_LESSON_PLAN);
    plan.set_title("教案");
    plan.set_uri("https://files/plan");
    plan.set_lesson_version(version);
    plan.set_author_id(tests::Id("anna"));
    ExpectOneWins(Race<v1::AddArtefactResponse>(stage, plan, plan), "LESSON_VERSION_NOT_NEXT");
  }
}

TEST(RaceTest, OneGroupPreparesOnceAtOneTime) {
  tests::Stage stage;
  for (int round = 0; round < kRounds; ++round) {
    v1::RecordPreparationRequest request;
    request.set_org_id(tests::Id("maths"));
    request.set_date(runtime::IsoDate(absl::CivilDay(2026, 1, 1) + round));
    request.set_start_minute(14 * 60);
    request.set_minutes(90);
    request.set_subject("数学");
    request.set_content("第三单元");
    request.set_lead_teacher_id(tests::Id("anna"));
    ExpectOneWins(Race<v1::RecordPreparationResponse>(stage, request, request), "PREPARATION_TWICE");
  }
}

}  // namespace
}  // namespace qinglan::lessonstudy
