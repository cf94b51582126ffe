// What each area's events make of a dossier, and what later events make of earlier pieces.
#include "projections/dossier/fold.h"

#include <gtest/gtest.h>

#include <string>

#include "projections/dossier/areas.h"
#include "projections/progression/facts.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/portfolio/v1/portfolio_events.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "tests/projections/dossier/teller.h"

namespace qinglan::dossier {
namespace {

using tests::Teller;

namespace reg = registry::v1;
namespace trn = training::v1;
namespace ls = lessonstudy::v1;
namespace men = mentoring::v1;

TEST(SameId, IsWhetherAllBytesAre) {
  for (size_t size = 0; size <= 30; ++size) {
    const std::string id(size, 'x');
    EXPECT_TRUE(SameId(id, std::string(id))) << size;
    EXPECT_FALSE(SameId(id, id + "x")) << size;
    for (size_t i = 0; i < size; ++i) {
      std::string other = id;
      other[i] = 'y';
      EXPECT_FALSE(SameId(id, other)) << size << ", " << i;
    }
  }
}

TEST(Registry, ATeachersServiceIsDated) {
  Teller teller;
  teller.Tell<reg::TeacherRegistered>("teacher_id: 'anna' teaching_since: '2018-09-01'", "2024-09-01");
  teller.Tell<reg::PostAssigned>(
      "post_id: 'p1' org_id: 'one' kind: POST_KIND_TEACHER primary: true subject: '数学' stage: "
      "STAGE_PRIMARY "
      "starts_on: '2018-09-01' rural: true");
  teller.Tell<reg::TeacherTransferred>(
      "from_org_id: 'one' to_org_id: 'two' starts_on: '2023-09-01' ended_post_id: 'p1' post_id: 'p2' "
      "kind: POST_KIND_HOMEROOM_TEACHER subject: '科学'");
  teller.Tell<reg::LeaveStarted>("leave_id: 'l' kind: LEAVE_KIND_MATERNITY starts_on: '2024-03-01'");
  teller.Tell<reg::TeacherReturned>("leave_id: 'l' returned_on: '2024-09-01'");
  teller.Tell<reg::TeacherDeparted>("departed_on: '2025-06-30'");
  teller.Tell<reg::TeacherReinstated>("starts_on: '2025-09-01'");
  const v1::Dossier& dossier = teller.dossier();
  EXPECT_EQ(dossier.teacher_id(), "anna");
  EXPECT_EQ(dossier.start_of_teaching(), "2018-09-01");
  EXPECT_EQ(dossier.registered_on(), "2024-09-01");
  EXPECT_EQ(dossier.subject(), "科学");
  EXPECT_EQ(dossier.stage(), scale::v1::STAGE_PRIMARY);
  ASSERT_EQ(dossier.posts_size(), 2);
  EXPECT_EQ(dossier.posts(0).to(), "2023-08-31");
  EXPECT_TRUE(dossier.posts(0).rural());
  EXPECT_EQ(dossier.posts(1).kind(), "HOMEROOM_TEACHER");
  EXPECT_EQ(dossier.posts(1).to(), "2025-06-30");
  ASSERT_EQ(dossier.leaves_size(), 2);
  EXPECT_EQ(dossier.leaves(0).kind(), "MATERNITY");
  EXPECT_EQ(dossier.leaves(0).to(), "2024-08-31");
  EXPECT_EQ(dossier.leaves(1).kind(), "DEPARTED");
  EXPECT_EQ(dossier.leaves(1).from(), "2025-07-01");
  EXPECT_EQ(dossier.leaves(1).to(), "2025-08-31");
  teller.Tell<reg::TeachingStartCorrected>("teaching_since: '2017-09-01'");
  EXPECT_EQ(teller.dossier().start_of_teaching(), "2017-09-01");
}

TEST(Registry, ADepartureEndsAPostThatWasToEndLater) {
  Teller teller;
  teller.Tell<reg::PostAssigned>("teacher_id: 'anna' post_id: 'p' org_id: 's' starts_on: '2020-09-01'");
  teller.Tell<reg::PostEnded>("teacher_id: 'anna' post_id: 'p' org_id: 's' ended_on: '2026-08-31'");
  teller.Tell<reg::TeacherDeparted>("teacher_id: 'anna' departed_on: '2026-01-31'");
  EXPECT_EQ(teller.dossier().posts(0).to(), "2026-01-31");
}

TEST(Training, HoursAreWithdrawnWhenAttendanceIsCorrected) {
  Teller teller;
  const std::string award = teller.Tell<trn::CreditHoursAwarded>(
      "session_id: 's' title: '新课标' level: LEVEL_COUNTY direction: DIRECTION_OUT credit_tenths: 45 "
      "earned_on: '2025-11-02'");
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_TRAINING);
  EXPECT_EQ(teller.piece(0).amount(), 4.5);
  EXPECT_EQ(teller.piece(0).date(), "2025-11-02");
  EXPECT_EQ(teller.piece(0).subkind(), "OUT");
  const std::string withdrawal =
      teller.Tell<trn::CreditHoursWithdrawn>("session_id: 's' award_event_id: '" + award + "'", "2025-12-01");
  teller.Tell<trn::CreditHoursAwarded>(
      "session_id: 's' credit_tenths: 30 earned_on: '2025-11-02' "
      "replaces_award_event_id: '" +
      award + "'");
  ASSERT_EQ(teller.dossier().evidence_size(), 2);
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  EXPECT_EQ(teller.piece(0).withdrawn_by(), withdrawal);
  ASSERT_EQ(teller.piece(0).amendments_size(), 1);
  EXPECT_EQ(teller.piece(0).amendments(0).kind(), "CreditHoursWithdrawn");
  EXPECT_EQ(teller.piece(0).amendments(0).on(), "2025-12-01");
  EXPECT_EQ(teller.piece(1).amount(), 3);
  EXPECT_EQ(teller.piece(1).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
}

TEST(Training, ABringBackDutyIsOpenUntilItIsDone) {
  Teller teller;
  teller.Tell<trn::BringBackOpened>(
      "obligation_id: 'o' session_id: 's' title: '省培' opened_on: '2025-11-02' due_on: '2026-01-01'");
  const auto is_open = [&](const char* day) {
    const progression::Facts facts(teller.dossier(), *progression::ParseDay(day));
    return !facts.obligations.empty() && facts.obligations[0].open;
  };
  EXPECT_FALSE(is_open("2025-11-01"));
  EXPECT_TRUE(is_open("2025-11-02"));
  const std::string closed = teller.Tell<trn::BringBackClosed>(
      "obligation_id: 'o' kind: BRING_BACK_KIND_LECTURE given_on: '2025-12-10' lecture_id: 'l'");
  EXPECT_TRUE(is_open("2025-12-09"));
  EXPECT_FALSE(is_open("2025-12-10"));
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_BRING_BACK);
  EXPECT_EQ(teller.piece(0).title(), "省培");
  teller.Tell<trn::BringBackReopened>("obligation_id: 'o' reopens_event_id: '" + closed +
                                      "' due_on: '2026-02-01'");
  EXPECT_TRUE(is_open("2026-01-10"));
  EXPECT_EQ(teller.dossier().obligations(0).due_on(), "2026-02-01");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  teller.Tell<trn::BringBackWaived>("obligation_id: 'o'", "2026-01-20");
  EXPECT_TRUE(teller.dossier().obligations(0).waived());
  EXPECT_FALSE(is_open("2026-01-20"));
}

TEST(Training, ADutyThatNeverAroseIsOpenOnNoDay) {
  Teller teller;
  teller.Tell<trn::BringBackOpened>("obligation_id: 'o' opened_on: '2025-11-02' due_on: '2026-01-01'");
  teller.Tell<trn::BringBackCancelled>("obligation_id: 'o'", "2025-11-02");
  for (const char* day : {"2025-11-02", "2025-12-01", "2026-02-01"}) {
    EXPECT_FALSE(progression::Facts(teller.dossier(), *progression::ParseDay(day)).obligations[0].open)
        << day;
  }
}

TEST(Training, ALectureIsCorrectedAndWithdrawn) {
  Teller teller;
  teller.Tell<trn::LectureRecorded>(
      "lecture_id: 'l' title: '作业设计' level: LEVEL_SCHOOL given_on: '2025-10-10'");
  teller.Tell<trn::LectureCorrected>(
      "lecture_id: 'l' title: '作业设计' level: LEVEL_COUNTY given_on: '2025-10-12'");
  EXPECT_EQ(teller.piece(0).level(), scale::v1::LEVEL_COUNTY);
  EXPECT_EQ(teller.piece(0).date(), "2025-10-12");
  teller.Tell<trn::LectureWithdrawn>("lecture_id: 'l'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
}

constexpr const char* kObserved =
    "observation_id: 'o' observer_id: 'anna' observed_id: 'ben' facts { date: '2025-10-10' topic: '分数' "
    "kind: OBSERVATION_KIND_UNANNOUNCED ";

TEST(LessonStudy, AnObservationCountsForItsObserverFromItsReviewOn) {
  Teller observer("anna");
  Teller observed("ben");
  for (Teller* teller : {&observer, &observed}) {
    teller->Tell<ls::ObservationRecorded>(std::string(kObserved) + "}");
  }
  EXPECT_EQ(observer.piece(0).kind(), v1::EVIDENCE_KIND_OBSERVATION_GIVEN);
  EXPECT_EQ(observer.piece(0).not_counted(), v1::NOT_COUNTED_NO_WRITTEN_REVIEW);
  EXPECT_EQ(observer.piece(0).subkind(), "UNANNOUNCED");
  EXPECT_EQ(observed.piece(0).kind(), v1::EVIDENCE_KIND_OBSERVATION_RECEIVED);
  EXPECT_EQ(observed.piece(0).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  observer.Tell<ls::ObservationReviewed>(
      "observation_id: 'o' observer_id: 'anna' observed_id: 'ben' "
      "date: '2025-10-10' reviewed_on: '2025-11-01'");
  const auto counts = [&](const char* day) {
    const progression::Facts facts(observer.dossier(), *progression::ParseDay(day));
    return facts.pieces[0].not_counted == v1::NOT_COUNTED_UNSPECIFIED;
  };
  EXPECT_FALSE(counts("2025-10-31"));
  EXPECT_TRUE(counts("2025-11-01"));
  observer.Tell<ls::ObservationFeedbackGiven>("observation_id: 'o' given_on: '2025-11-02'");
  EXPECT_EQ(observer.piece(0).amendments_size(), 2);
}

TEST(LessonStudy, ACorrectionReplacesTheFactsAndAWithdrawalStays) {
  Teller teller;
  teller.Tell<ls::ObservationRecorded>(std::string(kObserved) + "has_review: true }");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  teller.Tell<ls::ObservationCorrected>("observation_id: 'o' facts { date: '2025-10-13' has_review: true }");
  EXPECT_EQ(teller.piece(0).date(), "2025-10-13");
  teller.Tell<ls::ObservationWithdrawn>("observation_id: 'o'");
  teller.Tell<ls::ObservationCorrected>("observation_id: 'o' facts { date: '2025-10-14' has_review: true }");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
}

TEST(LessonStudy, ACorrectionThatLeavesTheReviewOutTakesItsEffectBack) {
  Teller teller;
  constexpr const char* kFacts =
      "observation_id: 'o' observer_id: 'anna' observed_id: 'ben' facts { date: "
      "'2025-10-01' kind: OBSERVATION_KIND_ORDINARY }";
  teller.Tell<ls::ObservationRecorded>(kFacts);
  teller.Tell<ls::ObservationReviewed>("observation_id: 'o' reviewed_on: '2025-10-05'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  teller.Tell<ls::ObservationCorrected>(kFacts);
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_NO_WRITTEN_REVIEW);
  teller.Tell<ls::ObservationReviewed>("observation_id: 'o' reviewed_on: '2025-10-20'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  EXPECT_EQ(teller.piece(0).counts_from(), "2025-10-20");
}

TEST(LessonStudy, ALessonIsAClaimUntilItIsConfirmed) {
  Teller teller;
  teller.Tell<ls::LessonRecorded>(
      "lesson_id: 'l' teacher_id: 'anna' facts { kind: LESSON_KIND_PUBLIC "
      "level: LEVEL_COUNTY title: '圆' date: '2025-10-10' }");
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_PENDING);
  teller.Tell<ls::LessonConfirmed>(
      "lesson_id: 'l' facts { kind: LESSON_KIND_PUBLIC level: LEVEL_COUNTY "
      "title: '圆' date: '2025-10-10' }");
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_VERIFIED);
  teller.Tell<ls::LessonCorrected>(
      "lesson_id: 'l' facts { kind: LESSON_KIND_DEMONSTRATION level: LEVEL_CITY "
      "title: '圆' date: '2025-10-10' } confirmation_lapsed: true");
  EXPECT_EQ(teller.piece(0).subkind(), "DEMONSTRATION");
  EXPECT_EQ(teller.piece(0).verification(), v1::VERIFICATION_PENDING);
  teller.Tell<ls::LessonWithdrawn>("lesson_id: 'l'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
}

TEST(LessonStudy, APreparationCountsForWhoWasThere) {
  Teller teller;
  teller.Tell<ls::PreparationRecorded>(
      "preparation_id: 'p' facts { date: '2025-10-10' content: '第三单元' lead_teacher_id: 'ben' "
      "attendee_ids: 'anna' }");
  EXPECT_EQ(teller.piece(0).role(), "ATTENDEE");
  teller.Tell<ls::PreparationCorrected>(
      "preparation_id: 'p' facts { date: '2025-10-11' lead_teacher_id: 'ben' attendee_ids: 'chen' }");
  teller.Tell<ls::PreparationAttendeesRemoved>("preparation_id: 'p' teacher_ids: 'anna'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  teller.Tell<ls::PreparationCorrected>(
      "preparation_id: 'p' facts { date: '2025-10-11' lead_teacher_id: 'anna' attendee_ids: 'ben' }");
  ASSERT_EQ(teller.dossier().evidence_size(), 2);
  EXPECT_EQ(teller.piece(1).role(), "LEAD");
  teller.Tell<ls::PreparationWithdrawn>("preparation_id: 'p' teacher_ids: 'anna' teacher_ids: 'ben'");
  EXPECT_EQ(teller.piece(1).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
}

TEST(LessonStudy, ACycleCountsWithItsPublishedResultOnly) {
  Teller teller;
  teller.Tell<ls::CycleStarted>("cycle_id: 'c' member_ids: 'anna' started_on: '2025-09-10'");
  teller.Tell<ls::CycleStageCompleted>("cycle_id: 'c' stage: CYCLE_STAGE_STANDARDS member_ids: 'anna'");
  EXPECT_EQ(teller.dossier().evidence_size(), 0);
  teller.Tell<ls::CycleResultPublished>(
      "cycle_id: 'c' title: '课例集' level: LEVEL_SCHOOL published_on: '2025-12-20' member_ids: 'anna'");
  EXPECT_EQ(teller.piece(0).kind(), v1::EVIDENCE_KIND_CYCLE);
  EXPECT_EQ(teller.piece(0).date(), "2025-12-20");
}

TEST(LessonStudy, AReflectionIsFormativeAndNotesItsConsents) {
  Teller teller;
  teller.Tell<ls::ReflectionWritten>(
      "reflection_id: 'r' kind: REFLECTION_KIND_TERM written_on: '2026-01-10' characters: 812 formative: "
      "true");
  EXPECT_TRUE(teller.piece(0).formative());
  EXPECT_EQ(teller.piece(0).words(), 812u);
  EXPECT_EQ(teller.piece(0).title(), "");
  teller.Tell<ls::ConsentGiven>(
      "consent_id: 'k' teacher_id: 'anna' reflection_id: 'r' purpose: CONSENT_PURPOSE_PROMOTION");
  teller.Tell<ls::ConsentGiven>("consent_id: 'k2' teacher_id: 'ben' reflection_id: 'r'");
  EXPECT_EQ(teller.piece(0).amendments_size(), 1);
}

TEST(Mentoring, APairingRunsFromItsStartToTheDayBeforeItsClosing) {
  Teller teller("ben");
  teller.Tell<men::PairingProposed>("pairing_id: 'p' terms { mentor_id: 'anna' mentee_id: 'ben' }");
  EXPECT_EQ(teller.dossier().pairings_size(), 0);
  teller.Tell<men::PairingStarted>(
      "pairing_id: 'p' terms { mentor_id: 'anna' mentee_id: 'ben' subject: '数学' "
      "starts_on: '2024-09-10' ends_on: '2026-09-10' }");
  ASSERT_EQ(teller.dossier().pairings_size(), 1);
  EXPECT_FALSE(teller.dossier().pairings(0).as_mentor());
  EXPECT_EQ(teller.dossier().pairings(0).other_teacher_id(), "anna");
  EXPECT_EQ(teller.dossier().pairings(0).planned_to(), "2026-09-09");
  EXPECT_EQ(teller.dossier().pairings(0).to(), "");
  teller.Tell<men::PairingClosed>("pairing_id: 'p' closed_on: '2025-09-01'");
  EXPECT_EQ(teller.dossier().pairings(0).to(), "2025-08-31");
}

TEST(Mentoring, OnesOwnLogCountsAndTheOtherSidesOnlyShowsThatTheyMet) {
  Teller teller("ben");
  teller.Tell<men::PairingStarted>(
      "pairing_id: 'p' terms { mentor_id: 'anna' mentee_id: 'ben' starts_on: '2025-09-10' }");
  for (const char* by : {"anna", "ben"}) {
    teller.Tell<men::ContactLogged>("contact_id: 'c-" + std::string(by) +
                                    "' pairing_id: 'p' mentor_id: 'anna' "
                                    "mentee_id: 'ben' logged_by_id: '" +
                                    by + "' date: '2025-10-10'");
  }
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_OTHER_ROLE);
  EXPECT_EQ(teller.piece(1).not_counted(), v1::NOT_COUNTED_UNSPECIFIED);
  teller.Tell<men::ContactWithdrawn>("contact_id: 'c-ben' pairing_id: 'p'");
  EXPECT_EQ(teller.piece(0).not_counted(), v1::NOT_COUNTED_OTHER_ROLE);
  EXPECT_EQ(teller.piece(1).not_counted(), v1::NOT_COUNTED_WITHDRAWN);
  teller.Tell<men::PairingVoided>("pairing_id: 'p'");
  EXPECT_NE(teller.dossier().pairings(0).withdrawn_by(), "");
}

TEST(Mentoring, AMilestoneIsConfirmedAndWithdrawn) {
  Teller teller;
  teller.Tell<men::MilestoneReached>(
      "teacher_id: 'anna' milestone: MILESTONE_STANDARD reached_on: '2025-06-30'");
  EXPECT_EQ(teller.dossier().milestones(0).kind(), "STANDARD");
  EXPECT_EQ(teller.dossier().milestones(0).withdrawn_by(), "");
  teller.Tell<men::MilestoneWithdrawn>(
      "teacher_id: 'anna' milestone: MILESTONE_STANDARD reached_on: '2025-06-30'");
  EXPECT_NE(teller.dossier().milestones(0).withdrawn_by(), "");
}

TEST(Progression, ADecisionIsKeptAndItsWithdrawalNamed) {
  Teller teller;
  const std::string decision = teller.Tell<progression::v1::TierDecided>(
      "teacher_id: 'anna' tier: TIER_BACKBONE decided_on: '2025-03-01' valid_until: '2028-02-29' "
      "document_no: '7号'");
  ASSERT_EQ(teller.dossier().tiers_size(), 1);
  EXPECT_EQ(teller.dossier().tiers(0).until(), "2028-02-29");
  const std::string withdrawal = teller.Tell<progression::v1::TierDecisionWithdrawn>(
      "teacher_id: 'anna' decision_event_id: '" + decision + "' ground: WITHDRAWAL_GROUND_FRAUD");
  EXPECT_EQ(teller.dossier().tiers(0).withdrawn_by(), withdrawal);
}

TEST(Fold, IgnoresWhatIsNoPartOfARecord) {
  Teller teller;
  teller.Tell<reg::TeacherRegistered>("teaching_since: '2018-09-01'");
  v1::Dossier before = teller.dossier();
  teller.Tell<portfolio::v1::PortfolioViewed>("teacher_id: 'anna'");
  before.set_position(2);
  EXPECT_EQ(teller.dossier().SerializeAsString(), before.SerializeAsString());
}

TEST(Fold, TheSameEventsGiveTheSameBytes) {
  Teller teller;
  teller.Tell<reg::TeacherRegistered>("teaching_since: '2018-09-01'");
  teller.Tell<ls::ObservationRecorded>(std::string(kObserved) + "}");
  teller.Tell<trn::CreditHoursAwarded>("session_id: 's' credit_tenths: 45 earned_on: '2025-11-02'");
  teller.Tell<ls::ObservationReviewed>("observation_id: 'o' reviewed_on: '2025-11-01'");
  v1::Dossier again;
  for (const eventstore::Event& event : teller.events()) {
    ASSERT_TRUE(FoldEvent(event.View(), teller.teacher_id(), again).ok());
  }
  EXPECT_EQ(again.SerializeAsString(), teller.dossier().SerializeAsString());
  // Folding on from a stored dossier is the same as folding all at once.
  v1::Dossier stored;
  for (const eventstore::Event& event : teller.events()) {
    v1::Dossier loaded;
    ASSERT_TRUE(loaded.ParseFromString(stored.SerializeAsString()));
    ASSERT_TRUE(FoldEvent(event.View(), teller.teacher_id(), loaded).ok());
    stored = loaded;
  }
  EXPECT_EQ(stored.SerializeAsString(), teller.dossier().SerializeAsString());
}

}  // namespace
}  // namespace qinglan::dossier
