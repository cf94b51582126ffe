#include "projections/worklists/worklists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "projections/worklists/board.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"
#include "tests/harness/stored_days.h"
#include "tests/projections/runner/log.h"

namespace qinglan::projections {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace p = portfolio::v1;

// Folds events straight into a view, one batch an event, and lists what waits as "day subject". In the end,
// folded in one batch, the same events must have given the same rows.
class WorklistsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    views_ = OpenViews(folder_ / "views");
    ASSERT_TRUE(views_->OpenView(Worklists::Id()).ok());
    Org("district", "");
    Org("centre", "district");
    Org("north", "district");
    Org("south", "district");
  }
  void Tell(const google::protobuf::Message& payload, absl::CivilDay day = absl::CivilDay(2026, 1, 1)) {
    eventstore::Event event;
    event.position = eventstore::Position(++position_);
    event.commit_id = "c" + std::to_string(position_);
    event.type = payload.GetDescriptor()->full_name();
    event.occurred_on = day;
    event.payload = tests::WithDays(payload)->SerializeAsString();
    Worklists worklists;
    EXPECT_TRUE(worklists.interest().Matches(event.View())) << event.type;
    auto batch = views_->Begin(Worklists::Id());
    ASSERT_TRUE(batch.ok());
    const absl::Status applied = worklists.Apply(event.View(), *batch);
    ASSERT_TRUE(applied.ok()) << applied;
    ASSERT_TRUE(worklists.Flush(*batch).ok());
    EXPECT_EQ(worklists.kept_bytes(), 0u);
    told_.push_back(event);
    ASSERT_TRUE(views_->Commit(*std::move(batch), Checkpoint{event.position, event.position, "x"}).ok());
  }
  void Org(const std::string& id, const std::string& parent) {
    registry::v1::OrganisationCreated created;
    created.set_org_id(id);
    created.set_parent_id(parent);
    Tell(created);
  }
  std::vector<std::string> Waiting(const std::string& scope, p::WorkKind kind) {
    std::vector<std::string> found;
    const std::string prefix = WorkPrefix(scope, kind);
    const auto rows = views_->Snapshot(Worklists::Id());
    EXPECT_TRUE(rows->Scan({prefix, "", SIZE_MAX},
                           [&](std::string_view key, std::string_view) {
                             found.emplace_back(key.substr(prefix.size()));
                             return true;
                           })
                    .ok());
    return found;
  }
  // No list holds anything.
  bool Nothing() {
    bool nothing = true;
    const auto rows = views_->Snapshot(Worklists::Id());
    EXPECT_TRUE(
        rows->Scan({"w/", "", SIZE_MAX}, [&](std::string_view, std::string_view) { return nothing = false; })
            .ok());
    return nothing;
  }

  void TearDown() override {
    const auto together = OpenViews(folder_ / "together");
    ASSERT_TRUE(together->OpenView(Worklists::Id()).ok());
    Worklists worklists;
    auto batch = together->Begin(Worklists::Id());
    ASSERT_TRUE(batch.ok());
    for (const eventstore::Event& event : told_)
      ASSERT_TRUE(worklists.Apply(event.View(), *batch).ok()) << event.type;
    EXPECT_GT(worklists.kept_bytes(), 0u);
    ASSERT_TRUE(worklists.Flush(*batch).ok());
    const eventstore::Position last(position_);
    ASSERT_TRUE(together->Commit(*std::move(batch), Checkpoint{last, last, "x"}).ok());
    EXPECT_EQ(Rows(*together), Rows(*views_));
  }
  static std::map<std::string, std::string> Rows(const ViewStore& views) {
    std::map<std::string, std::string> all;
    const auto snapshot = views.Snapshot(Worklists::Id());
    for (RowCursor row = snapshot->Rows(); row.valid(); row.Next()) all.emplace(row.key(), row.value());
    return all;
  }

  TestFolder folder_;
  uint64_t position_ = 0;
  std::vector<eventstore::Event> told_;
  std::unique_ptr<ViewStore> views_;
};

// Stored, so for as long as the view has this version.
TEST(WorkKeysTest, AreWhatIsStored) {
  EXPECT_EQ(WorkPrefix(OrganisationScope("north"), p::WORK_KIND_PAIRING_CONTACT), "w/org:north/05/");
  EXPECT_EQ(WorkPrefix(TeacherScope("anna"), static_cast<p::WorkKind>(0)), "w/teacher:anna/00/");
  EXPECT_EQ(WorkPrefix(TeacherScope("anna"), static_cast<p::WorkKind>(123)), "w/teacher:anna/123/");
}

TEST_F(WorklistsTest, AnOutputWaitsUntilSomebodyHasLookedAtIt) {
  research::v1::OutputSubmitted submitted;
  submitted.set_output_id("paper");
  submitted.set_org_id("north");
  submitted.set_teacher_id("anna");
  submitted.mutable_claim()->set_title("分数的意义");
  Tell(submitted, absl::CivilDay(2026, 3, 1));
  for (const std::string scope : {"org:north", "org:district", "teacher:anna"}) {
    EXPECT_THAT(Waiting(scope, p::WORK_KIND_OUTPUT_TO_VERIFY), ElementsAre("2026-03-01/paper")) << scope;
  }
  EXPECT_THAT(Waiting("org:south", p::WORK_KIND_OUTPUT_TO_VERIFY), IsEmpty());
  research::v1::OutputVerified verified;
  verified.set_output_id("paper");
  Tell(verified);
  EXPECT_TRUE(Nothing());
  research::v1::OutputVerificationRevoked revoked;
  revoked.set_output_id("paper");
  Tell(revoked, absl::CivilDay(2026, 5, 1));
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_OUTPUT_TO_VERIFY), ElementsAre("2026-05-01/paper"));
  research::v1::OutputWithdrawn withdrawn;
  withdrawn.set_output_id("paper");
  Tell(withdrawn);
  EXPECT_TRUE(Nothing());
}

TEST_F(WorklistsTest, ABringBackDutyFollowsItsTeacherFromSchoolToSchool) {
  registry::v1::PostAssigned post;
  post.set_teacher_id("anna");
  post.set_post_id("p1");
  post.set_org_id("north");
  Tell(post);
  training::v1::BringBackOpened opened;
  opened.set_obligation_id("duty");
  opened.set_teacher_id("anna");
  opened.set_org_id("centre");
  opened.set_opened_on("2026-03-01");
  opened.set_due_on("2026-04-30");
  Tell(opened);
  for (const std::string scope : {"org:centre", "org:north", "org:district", "teacher:anna"}) {
    EXPECT_THAT(Waiting(scope, p::WORK_KIND_BRING_BACK_DUE), ElementsAre("2026-04-30/duty")) << scope;
  }
  registry::v1::TeacherTransferred moved;
  moved.set_teacher_id("anna");
  moved.set_ended_post_id("p1");
  moved.set_post_id("p2");
  moved.set_to_org_id("south");
  Tell(moved);
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_BRING_BACK_DUE), IsEmpty());
  EXPECT_THAT(Waiting("org:south", p::WORK_KIND_BRING_BACK_DUE), ElementsAre("2026-04-30/duty"));
  training::v1::BringBackClosed closed;
  closed.set_obligation_id("duty");
  Tell(closed);
  EXPECT_TRUE(Nothing());
  training::v1::BringBackReopened reopened;
  reopened.set_obligation_id("duty");
  reopened.set_due_on("2026-06-30");
  Tell(reopened);
  EXPECT_THAT(Waiting("org:south", p::WORK_KIND_BRING_BACK_DUE), ElementsAre("2026-06-30/duty"));
  registry::v1::TeacherDeparted departed;
  departed.set_teacher_id("anna");
  Tell(departed);
  EXPECT_THAT(Waiting("org:south", p::WORK_KIND_BRING_BACK_DUE), IsEmpty());
  training::v1::BringBackCancelled cancelled;
  cancelled.set_obligation_id("duty");
  Tell(cancelled);
  EXPECT_TRUE(Nothing());
}

TEST_F(WorklistsTest, ASessionWaitsForItsAttendanceFromItsLastDayOn) {
  training::v1::SessionScheduled scheduled;
  scheduled.set_session_id("session");
  scheduled.set_org_id("centre");
  scheduled.set_trainer_teacher_id("anna");
  for (const std::string date : {"2026-03-01", "2026-03-03"})
    scheduled.mutable_facts()->add_blocks()->set_date(date);
  Tell(scheduled);
  EXPECT_THAT(Waiting("org:centre", p::WORK_KIND_ATTENDANCE_TO_COMPLETE), ElementsAre("2026-03-03/session"));
  training::v1::SessionRescheduled moved;
  moved.set_session_id("session");
  moved.mutable_facts()->add_blocks()->set_date("2026-04-01");
  Tell(moved);
  EXPECT_THAT(Waiting("org:district", p::WORK_KIND_ATTENDANCE_TO_COMPLETE),
              ElementsAre("2026-04-01/session"));
  EXPECT_THAT(Waiting("teacher:anna", p::WORK_KIND_ATTENDANCE_TO_COMPLETE),
              ElementsAre("2026-04-01/session"));
  training::v1::SessionCompleted completed;
  completed.set_session_id("session");
  Tell(completed);
  EXPECT_TRUE(Nothing());
  Tell(moved);  // what is over does not come back
  EXPECT_TRUE(Nothing());
}

TEST_F(WorklistsTest, AnObservationWaitsForFeedbackUnlessItIsTheGroupsOwn) {
  lessonstudy::v1::ObservationRecorded recorded;
  recorded.set_observation_id("seen");
  recorded.set_observer_id("anna");
  recorded.set_observed_id("bert");
  recorded.set_org_id("north");
  recorded.mutable_facts()->set_date("2026-03-01");
  Tell(recorded);
  lessonstudy::v1::ObservationRecorded formative = recorded;
  formative.set_observation_id("studied");
  formative.set_formative(true);
  Tell(formative);
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_FEEDBACK_DUE), ElementsAre("2026-03-01/seen"));
  lessonstudy::v1::ObservationCorrected corrected;
  corrected.set_observation_id("seen");
  corrected.mutable_facts()->set_date("2026-02-27");
  Tell(corrected);
  for (const std::string scope : {"org:north", "teacher:anna", "teacher:bert"}) {
    EXPECT_THAT(Waiting(scope, p::WORK_KIND_FEEDBACK_DUE), ElementsAre("2026-02-27/seen")) << scope;
  }
  lessonstudy::v1::ObservationFeedbackGiven given;
  given.set_observation_id("seen");
  Tell(given);
  EXPECT_TRUE(Nothing());
}

TEST_F(WorklistsTest, APairingWaitsForItsTwoAndThenShowsItsLastContact) {
  mentoring::v1::PairingProposed proposed;
  proposed.set_pairing_id("pair");
  proposed.mutable_terms()->set_mentor_id("anna");
  proposed.mutable_terms()->set_mentee_id("bert");
  proposed.mutable_terms()->set_org_id("north");
  proposed.mutable_terms()->set_starts_on("2026-02-01");
  Tell(proposed);
  EXPECT_THAT(Waiting("teacher:bert", p::WORK_KIND_PAIRING_TO_ACCEPT), ElementsAre("2026-01-01/pair"));
  mentoring::v1::PairingStarted started;
  started.set_pairing_id("pair");
  *started.mutable_terms() = proposed.terms();
  Tell(started);
  EXPECT_THAT(Waiting("teacher:bert", p::WORK_KIND_PAIRING_TO_ACCEPT), IsEmpty());
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_PAIRING_CONTACT), ElementsAre("2026-02-01/pair"));
  for (const std::string date : {"2026-03-01", "2026-05-01", "2026-04-01"}) {
    mentoring::v1::ContactLogged logged;
    logged.set_pairing_id("pair");
    logged.set_contact_id("contact " + date);
    logged.set_date(date);
    Tell(logged);
  }
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_PAIRING_CONTACT), ElementsAre("2026-05-01/pair"));
  mentoring::v1::ContactWithdrawn withdrawn;
  withdrawn.set_pairing_id("pair");
  withdrawn.set_contact_id("contact 2026-05-01");
  Tell(withdrawn);
  EXPECT_THAT(Waiting("org:north", p::WORK_KIND_PAIRING_CONTACT), ElementsAre("2026-04-01/pair"));
  mentoring::v1::PairingClosed closed;
  closed.set_pairing_id("pair");
  Tell(closed);
  EXPECT_TRUE(Nothing());
}

TEST_F(WorklistsTest, APayloadThatIsNotWhatItSaysIsAnError) {
  eventstore::Event event;
  event.type = research::v1::OutputVerified::descriptor()->full_name();
  event.payload = "\xff\xff\xff";
  Worklists worklists;
  auto batch = *views_->Begin(Worklists::Id());
  EXPECT_TRUE(absl::IsInternal(worklists.Apply(event.View(), batch)));
}

}  // namespace
}  // namespace qinglan::projections
