// What an answer or an event must not hold, which scenarios cannot say.
#include "services/lessonstudy/queries.h"

#include <gtest/gtest.h>

#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/harness/stage.h"

namespace qinglan::lessonstudy {
namespace {

using tests::Id;

v1::RecordObservationRequest Observation(const std::string& date) {
  v1::RecordObservationRequest request;
  request.set_observer_id(Id("olga"));
  request.set_observed_id(Id("anna"));
  request.set_org_id(Id("school"));
  request.set_date(date);
  request.set_subject("数学");
  request.set_kind(v1::OBSERVATION_KIND_ORDINARY);
  return request;
}

v1::ObservationRecorded Recorded(tests::Stage& stage, const v1::RecordObservationRequest& request) {
  EXPECT_TRUE(stage.Call<v1::RecordObservationResponse>(request).ok());
  for (const eventstore::Event& event : stage.Events()) {
    if (auto recorded = runtime::As<v1::ObservationRecorded>(event.View())) return *recorded;
  }
  ADD_FAILURE() << "nothing was recorded";
  return {};
}

TEST(RecordObservationTest, WithoutAReviewItIsNotSaidToHaveOne) {
  tests::Stage stage;
  const v1::ObservationRecorded recorded = Recorded(stage, Observation("2026-03-01"));
  EXPECT_FALSE(recorded.facts().has_review());
  EXPECT_FALSE(recorded.facts().has_overall_score());
  EXPECT_FALSE(recorded.announced());
  EXPECT_FALSE(recorded.formative()) << "for no cycle";
}

TEST(RecordObservationTest, AnAnnouncementOfAnotherDayOrObserverIsNoNotice) {
  tests::Stage stage;
  v1::AnnounceObservationRequest announce;
  announce.set_observer_id(Id("omar"));
  announce.set_observed_id(Id("anna"));
  announce.set_org_id(Id("school"));
  announce.set_date("2026-03-02");
  ASSERT_TRUE(stage.Call<v1::AnnounceObservationResponse>(announce).ok());
  auto request = Observation("2026-03-02");
  request.set_kind(v1::OBSERVATION_KIND_UNANNOUNCED);
  EXPECT_FALSE(Recorded(stage, request).announced());
}

// The files of a group are each of its author's.
TEST(CycleTest, AnAuthorsErasureTakesTheirFilesAndNobodyElses) {
  tests::Stage stage;
  v1::StartCycleRequest start;
  start.set_org_id(Id("maths"));
  start.set_topic("分数");
  start.set_subject("数学");
  start.set_started_on("2026-02-01");
  for (const char* member : {"anna", "bao"}) start.add_member_ids(Id(member));
  const std::string cycle_id = stage.Call<v1::StartCycleResponse>(start)->cycle_id();
  v1::AddArtefactRequest add;
  add.set_cycle_id(cycle_id);
  add.set_stage(v1::CYCLE_STAGE_STANDARDS);
  add.set_kind(v1::ARTEFACT_KIND_MINUTES);
  for (const std::string member : {"anna", "bao"}) {
    add.set_title(member + "的笔记");
    add.set_uri("https://files/" + member);
    add.set_digest(member);
    add.set_author_id(Id(member));
    ASSERT_TRUE(stage.Call<v1::AddArtefactResponse>(add).ok());
  }
  v1::GetCycleRequest get;
  get.set_cycle_id(cycle_id);
  const auto titles = [&] {
    const auto answer = stage.Call<v1::GetCycleResponse>(get);
    EXPECT_TRUE(answer.ok()) << answer.status();
    std::vector<std::string> all;
    for (const auto& artefact : answer->cycle().artefacts())
      all.push_back(artefact.title() + " " + artefact.uri());
    return all;
  };
  for (const eventstore::Event& event : stage.StoredEvents())
    EXPECT_EQ(event.payload.find("https://files/"), std::string::npos) << event.type;
  EXPECT_EQ(titles(),
            (std::vector<std::string>{"anna的笔记 https://files/anna", "bao的笔记 https://files/bao"}));
  ASSERT_TRUE(stage.sealing().keys().Destroy("teacher:" + Id("bao"), absl::Now()).ok());
  EXPECT_EQ(titles(),
            (std::vector<std::string>{"anna的笔记 https://files/anna", "(已依法删除) (已依法删除)"}));
  add.set_author_id(Id("anna"));
  const absl::Status twice = stage.Call<v1::AddArtefactResponse>(add).status();
  EXPECT_EQ(runtime::ReasonOf(twice), "ARTEFACT_TWICE") << "what is decided by stays readable";
  const auto detail = runtime::DetailOf(twice);
  ASSERT_TRUE(detail.has_value()) << twice;
  for (const auto& [name, value] : detail->metadata())
    EXPECT_FALSE(eventstore::privacy::IsSealed(value)) << "a refusal repeats no sealed text: " << name;
  EXPECT_FALSE(eventstore::privacy::MayHoldSealed(std::string(twice.message())));
}

TEST(PreparationTest, WhoLedItLeavesItsMaterialToTheGroup) {
  tests::Stage stage;
  v1::RecordPreparationRequest request;
  request.set_org_id(Id("maths"));
  request.set_date("2026-02-02");
  request.set_start_minute(14 * 60);
  request.set_minutes(90);
  request.set_subject("数学");
  request.set_content("第三单元");
  request.set_lead_teacher_id(Id("anna"));
  request.set_material_uri("https://files/unit-3");
  const auto recorded = stage.Call<v1::RecordPreparationResponse>(request);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  ASSERT_TRUE(stage.sealing().keys().Destroy("teacher:" + Id("anna"), absl::Now()).ok());
  const auto links = [&] {
    std::vector<std::string> all;
    for (const eventstore::Event& event : stage.Events()) {
      if (const auto first = runtime::As<v1::PreparationRecorded>(event.View()))
        all.push_back(first->facts().material_uri());
      if (const auto again = runtime::As<v1::PreparationCorrected>(event.View()))
        all.push_back(again->facts().material_uri());
    }
    return all;
  };
  EXPECT_EQ(links(), std::vector<std::string>{"https://files/unit-3"});
  v1::CorrectPreparationRequest correct;
  correct.set_preparation_id(recorded->preparation_id());
  correct.set_date("2026-02-02");
  correct.set_start_minute(14 * 60);
  correct.set_minutes(60);
  correct.set_subject("数学");
  correct.set_content("第三单元");
  correct.set_lead_teacher_id(Id("anna"));
  correct.set_material_uri("https://files/unit-3b");
  correct.set_reason("时长有误");
  const auto corrected = stage.Call<v1::CorrectPreparationResponse>(correct);
  ASSERT_TRUE(corrected.ok()) << corrected.status();
  EXPECT_EQ(links(), (std::vector<std::string>{"https://files/unit-3", "https://files/unit-3b"}));
}

TEST(CycleTest, OnlyWhatIsPublishedIsNotFormative) {
  tests::Stage stage;
  v1::StartCycleRequest start;
  start.set_org_id(Id("maths"));
  start.set_topic("分数");
  start.set_subject("数学");
  start.add_member_ids(Id("anna"));
  start.set_started_on("2026-02-01");
  const std::string cycle_id = stage.Call<v1::StartCycleResponse>(start)->cycle_id();
  for (const auto stage_of_cycle :
       {v1::CYCLE_STAGE_STANDARDS, v1::CYCLE_STAGE_UNIT, v1::CYCLE_STAGE_POLISHING, v1::CYCLE_STAGE_REDESIGN,
        v1::CYCLE_STAGE_RESULT}) {
    v1::AddArtefactRequest add;
    add.set_cycle_id(cycle_id);
    add.set_stage(stage_of_cycle);
    add.set_kind(v1::ARTEFACT_KIND_MINUTES);
    add.set_title("记录");
    add.set_uri("https://files/1");
    add.set_author_id(Id("anna"));
    ASSERT_TRUE(stage.Call<v1::AddArtefactResponse>(add).ok());
    v1::CompleteStageRequest complete;
    complete.set_cycle_id(cycle_id);
    complete.set_stage(stage_of_cycle);
    complete.set_completed_on("2026-03-01");
    ASSERT_TRUE(stage.Call<v1::CompleteStageResponse>(complete).ok());
  }
  v1::GetCycleRequest get;
  get.set_cycle_id(cycle_id);
  EXPECT_EQ(stage.Call<v1::GetCycleResponse>(get)->cycle().stage(), v1::CYCLE_STAGE_UNSPECIFIED);
  v1::PublishResultRequest publish;
  publish.set_cycle_id(cycle_id);
  publish.set_title("案例集");
  publish.set_uri("https://files/2");
  publish.set_level(scale::v1::LEVEL_SCHOOL);
  publish.set_published_on("2026-03-02");
  ASSERT_TRUE(stage.Call<v1::PublishResultResponse>(publish).ok());

  int formative = 0;
  for (const eventstore::Event& event : stage.Events()) {
    if (const auto started = runtime::As<v1::CycleStarted>(event.View())) formative += started->formative();
    if (const auto added = runtime::As<v1::CycleArtefactAdded>(event.View())) formative += added->formative();
    if (const auto completed = runtime::As<v1::CycleStageCompleted>(event.View())) {
      formative += completed->formative();
    }
    if (const auto published = runtime::As<v1::CycleResultPublished>(event.View())) {
      EXPECT_FALSE(published->formative());
    }
  }
  EXPECT_EQ(formative, 11);
}

TEST(ListObservationsTest, PassesOverWhatIsWithdrawnAndShowsNoTexts) {
  tests::Stage stage;
  std::vector<std::string> ids;
  for (const std::string date : {"2026-02-10", "2026-02-11", "2026-02-12"}) {
    auto request = Observation(date);
    request.set_review("评析");
    ids.push_back(stage.Call<v1::RecordObservationResponse>(request)->observation_id());
  }
  v1::WithdrawObservationRequest withdraw;
  withdraw.set_observation_id(ids[1]);
  withdraw.set_reason("记错");
  ASSERT_TRUE(stage.Call<v1::WithdrawObservationResponse>(withdraw).ok());
  v1::ListObservationsRequest list;
  list.set_teacher_id(Id("anna"));
  list.set_page_size(2);
  const auto page = stage.Call<v1::ListObservationsResponse>(list);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->observations_size(), 2);
  EXPECT_EQ(page->observations(0).observation_id(), ids[0]);
  EXPECT_EQ(page->observations(1).observation_id(), ids[2]);
  EXPECT_EQ(page->next_page_token(), "");
  EXPECT_EQ(page->DebugString().find("评析"), std::string::npos);
}

TEST(ReflectionTest, AWithdrawnOneShowsNoText) {
  tests::Stage stage;
  v1::WriteReflectionRequest write;
  write.set_teacher_id(Id("anna"));
  write.set_kind(v1::REFLECTION_KIND_TERM);
  write.set_written_on("2026-03-01");
  write.set_text("学期反思");
  const runtime::Principal anna{"anna", Id("anna"), {}};
  const std::string id = stage.Call<v1::WriteReflectionResponse>(write, anna)->reflection_id();
  v1::WithdrawReflectionRequest withdraw;
  withdraw.set_reflection_id(id);
  ASSERT_TRUE(stage.Call<v1::WithdrawReflectionResponse>(withdraw, anna).ok());
  v1::GetReflectionRequest get;
  get.set_reflection_id(id);
  const auto got = stage.Call<v1::GetReflectionResponse>(get, anna);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(got->reflection().withdrawn());
  EXPECT_EQ(got->reflection().text(), "");
}

}  // namespace
}  // namespace qinglan::lessonstudy
