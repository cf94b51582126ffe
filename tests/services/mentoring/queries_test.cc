// What an answer must not hold, which scenarios cannot say.
#include "services/mentoring/queries.h"

#include <gtest/gtest.h>

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/harness/stage.h"

namespace qinglan::mentoring {
namespace {

using tests::Id;

class QueriesTest : public testing::Test {
 protected:
  QueriesTest() {
    v1::RecordSignedPairingRequest request;
    request.set_mentor_id(Id("wen"));
    request.set_mentee_id(Id("anna"));
    request.set_org_id(Id("school"));
    request.set_subject("数学");
    request.set_starts_on("2025-09-01");
    request.set_term_years(3);
    pairing_id_ = stage_.Call<v1::RecordSignedPairingResponse>(request)->pairing_id();
  }

  std::string LogContact(const std::string& as, const std::string& note) {
    v1::LogContactRequest request;
    request.set_pairing_id(pairing_id_);
    request.set_kind(v1::CONTACT_KIND_TALK);
    request.set_date("2026-03-01");
    request.set_minutes(40);
    request.set_note(note);
    return stage_.Call<v1::LogContactResponse>(request, {as, Id(as), {}})->contact_id();
  }

  v1::Pairing Get(const std::string& as_teacher_id) {
    v1::GetPairingRequest request;
    request.set_pairing_id(pairing_id_);
    return stage_.Call<v1::GetPairingResponse>(request, {"u", as_teacher_id, {}})->pairing();
  }

  void Rate(int pairing, uint32_t guidance) {
    v1::MentorRated rated;
    rated.set_pairing_id(Id("p" + std::to_string(pairing) + "x"));
    rated.set_org_id(Id("school"));
    rated.set_rated_on("2026-01-15");
    rated.set_guidance(guidance);
    stage_.Given(
        {runtime::MakeEvent(rated, absl::CivilDay(2026, 1, 15), {runtime::Tag("org", Id("school"))})});
  }

  v1::GetMenteeVoiceResponse Voice() {
    v1::GetMenteeVoiceRequest request;
    request.set_org_id(Id("school"));
    request.set_from("2025-09-01");
    request.set_to("2026-09-01");
    return *stage_.Call<v1::GetMenteeVoiceResponse>(request);
  }

  tests::Stage stage_;
  std::string pairing_id_;
};

TEST_F(QueriesTest, ANoteIsShownToNobodyButItsWriter) {
  LogContact("wen", "师傅的话");
  LogContact("anna", "徒弟的话");
  const v1::Pairing mentors = Get(Id("wen"));
  EXPECT_EQ(mentors.contacts(0).note(), "师傅的话");
  EXPECT_EQ(mentors.contacts(1).note(), "");
  const v1::Pairing mentees = Get(Id("anna"));
  EXPECT_EQ(mentees.contacts(0).note(), "");
  EXPECT_EQ(mentees.contacts(1).note(), "徒弟的话");
  const v1::Pairing offices = Get("");
  for (const v1::Contact& contact : offices.contacts()) EXPECT_EQ(contact.note(), "");
}

TEST_F(QueriesTest, WhatShowsThatAGoalWasAchievedIsTheMentees) {
  v1::SetGoalRequest set;
  set.set_pairing_id(pairing_id_);
  set.mutable_goal()->set_text("过三关");
  const std::string goal_id = stage_.Call<v1::SetGoalResponse>(set)->goal_id();
  v1::AchieveGoalRequest achieve;
  achieve.set_pairing_id(pairing_id_);
  achieve.set_goal_id(goal_id);
  achieve.set_achieved_on("2026-03-01");
  achieve.set_evidence_uri("https://files/anna");
  const auto achieved = stage_.Call<v1::AchieveGoalResponse>(achieve);
  ASSERT_TRUE(achieved.ok()) << achieved.status();
  for (const eventstore::Event& event : stage_.StoredEvents())
    EXPECT_EQ(event.payload.find("https://files/anna"), std::string::npos) << event.type;
  EXPECT_EQ(Get("").goals(0).evidence_uri(), "https://files/anna");
  ASSERT_TRUE(stage_.sealing().keys().Destroy("teacher:" + Id("anna"), absl::Now()).ok());
  EXPECT_EQ(Get("").goals(0).evidence_uri(), "(已依法删除)");
  EXPECT_EQ(Get("").goals(0).achieved_on(), "2026-03-01") << "that it was achieved stays";
}

TEST_F(QueriesTest, AWithdrawnContactIsNoLastContact) {
  const std::string contact_id = LogContact("wen", "");
  EXPECT_EQ(Get("").last_contact_on(), "2026-03-01");
  v1::WithdrawContactRequest request;
  request.set_pairing_id(pairing_id_);
  request.set_contact_id(contact_id);
  request.set_reason("记错");
  ASSERT_TRUE(stage_.Call<v1::WithdrawContactResponse>(request, {"wen", Id("wen"), {}}).ok());
  EXPECT_EQ(Get("").last_contact_on(), "");
  EXPECT_EQ(Get("").contacts_size(), 0);
}

TEST_F(QueriesTest, NoMeanIsGivenWhileItWouldTellWhoSaidWhat) {
  for (int voice = 1; voice < static_cast<int>(kVoicesMin); ++voice) Rate(voice, 5);
  const v1::GetMenteeVoiceResponse few = Voice();
  EXPECT_TRUE(few.withheld());
  EXPECT_EQ(few.pairings(), 0u) << "not even how many";
  EXPECT_EQ(few.guidance(), 0);
  Rate(static_cast<int>(kVoicesMin), 1);
  const v1::GetMenteeVoiceResponse enough = Voice();
  EXPECT_FALSE(enough.withheld());
  EXPECT_EQ(enough.pairings(), kVoicesMin);
  EXPECT_EQ(enough.guidance(), 4.2);
}

TEST_F(QueriesTest, NoFoldByTeacherOrPairingComesAcrossTheMenteesVoice) {
  v1::RateMentorRequest request;
  request.set_pairing_id(pairing_id_);
  request.set_guidance(1);
  request.set_regularity(1);
  request.set_openness(1);
  ASSERT_TRUE(stage_.Call<v1::RateMentorResponse>(request, {"anna", Id("anna"), {}}).ok());
  for (const std::string& tag : {runtime::Tag("teacher", Id("wen")), runtime::Tag("teacher", Id("anna")),
                                 runtime::Tag("pairing", pairing_id_)}) {
    const auto read = stage_.store().Read({{eventstore::QueryItem{{}, {tag}}}}, {}, [](const auto& event) {
      EXPECT_NE(event.type, runtime::TypeOf<v1::MentorRated>());
      return true;
    });
    ASSERT_TRUE(read.ok()) << read.status();
  }
}

TEST_F(QueriesTest, WhatTheLogHasNotReachedIsUnavailable) {
  v1::GetPairingRequest request;
  request.set_pairing_id(pairing_id_);
  request.set_min_position(1'000'000);
  EXPECT_EQ(stage_.Call<v1::GetPairingResponse>(request).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace qinglan::mentoring
