// Two writers at once: what the decisions refuse one after the other, the log refuses side by side.
#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <map>
#include <thread>

#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::mentoring {
namespace {

using runtime::Tag;
using tests::Id;

constexpr int kRounds = 25;

// Runs all of them at the same moment.
std::vector<absl::Status> Race(const std::vector<std::function<absl::Status()>>& writers) {
  std::latch start(static_cast<std::ptrdiff_t>(writers.size()));
  std::vector<absl::Status> outcome(writers.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < writers.size(); ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      outcome[i] = writers[i]();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

std::map<std::string, int> Reasons(const std::vector<absl::Status>& outcome) {
  std::map<std::string, int> reasons;
  for (const absl::Status& status : outcome) ++reasons[status.ok() ? "OK" : runtime::ReasonOf(status)];
  return reasons;
}

v1::RecordSignedPairingRequest Signed(const std::string& mentor, const std::string& mentee,
                                      const std::string& subject) {
  v1::RecordSignedPairingRequest request;
  request.set_mentor_id(Id(mentor));
  request.set_mentee_id(Id(mentee));
  request.set_org_id(Id("school"));
  request.set_subject(subject);
  request.set_starts_on("2026-03-01");
  request.set_term_years(3);
  return request;
}

void GiveDistrictWithLimit(tests::Stage& stage, double limit) {
  registry::v1::OrganisationCreated school;
  school.set_org_id(Id("school"));
  school.set_parent_id(Id("district"));
  school.set_kind(registry::v1::ORGANISATION_KIND_SCHOOL);
  progression::v1::PolicyPublished policy;
  policy.set_policy_id(Id("policy"));
  policy.set_org_id(Id("district"));
  policy.set_version(1);
  policy.mutable_policy()->set_effective_from("2020-01-01");
  progression::v1::Limit& mentees = *policy.mutable_policy()->add_limits();
  mentees.set_kind(progression::v1::LIMIT_KIND_MENTEES_PER_MENTOR);
  mentees.set_value(limit);
  const absl::CivilDay day(2020, 1, 1);
  stage.Given({runtime::MakeEvent(school, day, {Tag("org", Id("school")), Tag("org", Id("district"))}),
               runtime::MakeEvent(policy, day, {Tag("policy", Id("policy")), Tag("org", Id("district"))})});
}

TEST(RaceTest, AMenteeGetsOneMentorInASubject) {
  tests::Stage stage;
  for (int round = 0; round < kRounds; ++round) {
    const std::string subject = "学科" + std::to_string(round);
    const auto outcome = Race(
        {[&] { return stage.Call<v1::RecordSignedPairingResponse>(Signed("wen", "anna", subject)).status(); },
         [&] {
           return stage.Call<v1::RecordSignedPairingResponse>(Signed("xu", "anna", subject)).status();
         }});
    EXPECT_EQ(Reasons(outcome), (std::map<std::string, int>{{"OK", 1}, {"MENTEE_HAS_MENTOR", 1}}));
  }
}

TEST(RaceTest, AnAcceptedPairingAndAPaperOneDoNotBothStart) {
  for (int round = 0; round < kRounds; ++round) {
    tests::Stage stage;
    v1::ProposePairingRequest propose;
    propose.set_mentor_id(Id("wen"));
    propose.set_mentee_id(Id("anna"));
    propose.set_org_id(Id("school"));
    propose.set_subject("数学");
    propose.set_starts_on("2026-03-01");
    propose.set_term_years(1);
    const auto proposed = stage.Call<v1::ProposePairingResponse>(propose, {"u", Id("wen"), {}});
    ASSERT_TRUE(proposed.ok()) << proposed.status();
    v1::AcceptPairingRequest accept;
    accept.set_pairing_id(proposed->pairing_id());
    ASSERT_TRUE(stage.Call<v1::AcceptPairingResponse>(accept, {"u", Id("anna"), {}}).ok());
    v1::StartPairingRequest start;
    start.set_pairing_id(proposed->pairing_id());
    const auto outcome = Race(
        {[&] { return stage.Call<v1::StartPairingResponse>(start).status(); },
         [&] { return stage.Call<v1::RecordSignedPairingResponse>(Signed("xu", "anna", "数学")).status(); }});
    EXPECT_EQ(Reasons(outcome), (std::map<std::string, int>{{"OK", 1}, {"MENTEE_HAS_MENTOR", 1}}));
  }
}

TEST(RaceTest, AMentorKeepsToTheLimitHoweverManyComeAtOnce) {
  for (int round = 0; round < kRounds; ++round) {
    tests::Stage stage;
    GiveDistrictWithLimit(stage, 2);
    std::vector<std::function<absl::Status()>> writers;
    for (const std::string mentee : {"anna", "bo", "cai", "dan"}) {
      writers.push_back([&stage, mentee] {
        return stage.Call<v1::RecordSignedPairingResponse>(Signed("wen", mentee, "数学")).status();
      });
    }
    EXPECT_EQ(Reasons(Race(writers)), (std::map<std::string, int>{{"OK", 2}, {"MENTOR_LIMIT_REACHED", 2}}));
  }
}

// A mentor's departure and a start that needs them are told apart by the log's order.
TEST(RaceTest, NoPairingStartsAfterItsMentorLeft) {
  for (int round = 0; round < kRounds; ++round) {
    tests::Stage stage;
    registry::v1::TeacherDeparted departed;
    departed.set_teacher_id(Id("wen"));
    departed.set_departed_on("2026-02-28");
    Race({[&] {
            stage.Given(
                {runtime::MakeEvent(departed, absl::CivilDay(2026, 2, 28), {Tag("teacher", Id("wen"))})});
            return absl::OkStatus();
          },
          [&] {
            return stage.Call<v1::RecordSignedPairingResponse>(Signed("wen", "anna", "数学")).status();
          }});
    bool left = false;
    for (const eventstore::Event& event : stage.Events()) {
      left = left || event.type == runtime::TypeOf<registry::v1::TeacherDeparted>();
      EXPECT_FALSE(left && event.type == runtime::TypeOf<v1::PairingStarted>());
    }
  }
}

TEST(RaceTest, AContactSentTwiceAtOnceIsLoggedOnce) {
  tests::Stage stage;
  const auto pairing = stage.Call<v1::RecordSignedPairingResponse>(Signed("wen", "anna", "数学"));
  ASSERT_TRUE(pairing.ok()) << pairing.status();
  for (int round = 0; round < kRounds; ++round) {
    v1::LogContactRequest contact;
    contact.set_request_id(tests::NextRequestId());
    contact.set_pairing_id(pairing->pairing_id());
    contact.set_kind(v1::CONTACT_KIND_TALK);
    contact.set_date("2026-03-02");
    contact.set_minutes(30);
    std::vector<std::string> ids(2);
    const auto before = stage.Events().size();
    const auto send = [&](size_t who) {
      const auto answer = stage.Call<v1::LogContactResponse>(contact, {"u", Id("wen"), {}});
      if (answer.ok()) ids[who] = answer->contact_id();
      return answer.status();
    };
    EXPECT_EQ(Reasons(Race({[&] { return send(0); }, [&] { return send(1); }})),
              (std::map<std::string, int>{{"OK", 2}}));
    EXPECT_EQ(ids[0], ids[1]) << "both are told of the same contact";
    EXPECT_EQ(stage.Events().size(), before + 1);
  }
}

}  // namespace
}  // namespace qinglan::mentoring
