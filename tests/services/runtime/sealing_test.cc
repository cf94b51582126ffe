// What is personal is sealed on its way into the log and opened on its way out, for whom it speaks of, where
// it stands.
#include "services/runtime/sealing/sealing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "services/qinglan/keys/check_sealed.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/personal_fields.h"
#include "tests/harness/request_maker.h"
#include "tests/harness/stage.h"
#include "tests/services/runtime/event_types.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Descriptor;
using registry::v1::TeacherRegistered;

TEST(PersonalFieldsTest, EveryPersonalFieldOfEveryEventHasAPerson) {
  const auto types = EventTypes();
  EXPECT_GT(types.size(), 80u);
  int with_personal = 0;
  for (const Descriptor* type : types) {
    with_personal += runtime::HasPersonal(type) ? 1 : 0;
    EXPECT_THAT(runtime::PersonalWithoutPerson(type), ::testing::IsEmpty());
  }
  EXPECT_GT(with_personal, 30);
}

TEST(PersonalFieldsTest, AFieldWithoutAPersonIsFound) {
  EXPECT_EQ(runtime::PersonalWithoutPerson(registry::v1::TeacherIdentity::descriptor()).size(), 5u);
  EXPECT_FALSE(runtime::HasPersonal(registry::v1::OrganisationCreated::descriptor()));
}

TEST(PersonalFieldsTest, NestedAndRepeatedTextsAreFoundWithTheirPathsAndPersons) {
  research::v1::OutputSubmitted output;
  output.set_teacher_id("T");
  output.mutable_claim()->add_evidence()->set_uri("one");
  output.mutable_claim()->add_evidence()->set_label("two");
  std::vector<std::string> seen;
  ASSERT_TRUE(
      runtime::RewritePersonal(output, [&](const runtime::PersonalText& text) -> absl::StatusOr<std::string> {
        seen.push_back(text.path + " " + text.subjects.at(0) + " " + text.text);
        return "sealed " + text.text;
      }).ok());
  EXPECT_THAT(
      seen, ::testing::ElementsAre("claim.evidence.uri teacher:T one", "claim.evidence.label teacher:T two"));
  EXPECT_EQ(output.claim().evidence(1).label(), "sealed two");
}

class SealingTest : public ::testing::Test {
 protected:
  void SetUp() override { MakeSchool(stage_); }

  void MakeSchool(Stage& stage) {
    registry::v1::CreateDistrictRequest district;
    district.set_name("县");
    registry::v1::CreateOrganisationRequest school;
    school.set_parent_id(stage.Call<registry::v1::CreateDistrictResponse>(district)->org_id());
    school.set_kind(registry::v1::ORGANISATION_KIND_SCHOOL);
    school.set_name("校");
    school_ = stage.Call<registry::v1::CreateOrganisationResponse>(school)->org_id();
  }

  registry::v1::RegisterTeacherRequest Registration(const std::string& name,
                                                    const std::string& number) const {
    registry::v1::RegisterTeacherRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_identity()->set_display_name(name);
    request.mutable_identity()->set_phone("13800000000");
    request.set_teaching_since("2020-09-01");
    request.set_org_id(school_);
    request.set_post_kind(registry::v1::POST_KIND_TEACHER);
    request.set_starts_on("2020-09-01");
    auto* id = request.add_external_ids();
    id->set_system("staff-number");
    id->set_id(number);
    return request;
  }

  std::string Register(const std::string& name, const std::string& number) {
    const auto answer = stage_.Call<registry::v1::RegisterTeacherResponse>(Registration(name, number));
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->teacher_id() : "";
  }

  absl::StatusOr<registry::v1::GetTeacherResponse> Get(const std::string& teacher_id) {
    registry::v1::GetTeacherRequest request;
    request.set_teacher_id(teacher_id);
    return stage_.Call<registry::v1::GetTeacherResponse>(request);
  }

  // The stored registration of a teacher.
  TeacherRegistered Stored(const std::string& teacher_id) {
    for (const auto& event : stage_.StoredEvents()) {
      const auto registered = runtime::As<TeacherRegistered>(event.View());
      if (registered.has_value() && registered->teacher_id() == teacher_id) return *registered;
    }
    ADD_FAILURE() << "no registration of " << teacher_id;
    return {};
  }

  // A correction of the identity as somebody who can write to the log would forge it.
  void Forge(const std::string& teacher_id, const registry::v1::TeacherIdentity& identity) {
    registry::v1::TeacherIdentityCorrected forged;
    forged.set_teacher_id(teacher_id);
    *forged.mutable_identity() = identity;
    stage_.Given(
        {runtime::MakeEvent(forged, absl::CivilDay(2026, 3, 2), {runtime::Tag("teacher", teacher_id)})});
  }

  Stage stage_;
  std::string school_;
};

TEST_F(SealingTest, TheLogHoldsSealedTextAndTheAnswerTheClearOne) {
  const std::string anna = Register(kPersonalText, "1001");
  const TeacherRegistered stored = Stored(anna);
  EXPECT_TRUE(eventstore::privacy::IsSealed(stored.identity().display_name()));
  EXPECT_TRUE(eventstore::privacy::IsSealed(stored.identity().phone()));
  EXPECT_EQ(stored.teaching_since(), "2020-09-01") << "what is not personal stays readable";
  EXPECT_EQ(Get(anna)->identity().display_name(), kPersonalText);
  EXPECT_EQ(Get(anna)->identity().phone(), "13800000000");
}

TEST_F(SealingTest, DecisionsCompareClearText) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::CorrectIdentityRequest same;
  same.set_teacher_id(anna);
  same.mutable_identity()->set_display_name("安娜");
  same.mutable_identity()->set_phone("13800000000");
  same.set_reason("无");
  EXPECT_EQ(runtime::ReasonOf(stage_.Call<registry::v1::CorrectIdentityResponse>(same).status()),
            "NOTHING_CHANGES");
  same.mutable_identity()->set_phone("13900000000");
  EXPECT_TRUE(stage_.Call<registry::v1::CorrectIdentityResponse>(same).ok());
  EXPECT_EQ(Get(anna)->identity().phone(), "13900000000");
}

TEST_F(SealingTest, AnotherPersonsTextIsDataLossAndNotShown) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  Forge(bela, Stored(anna).identity());
  EXPECT_TRUE(absl::IsDataLoss(Get(bela).status())) << Get(bela).status();
  registry::v1::CorrectIdentityRequest command;
  command.set_teacher_id(bela);
  command.mutable_identity()->set_display_name("贝");
  command.set_reason("无");
  EXPECT_TRUE(absl::IsDataLoss(stage_.Call<registry::v1::CorrectIdentityResponse>(command).status()))
      << "nor does a decision take it for true";
}

TEST_F(SealingTest, TextMovedToAnotherFieldIsDataLoss) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::TeacherIdentity swapped;
  swapped.set_display_name(Stored(anna).identity().phone());
  Forge(anna, swapped);
  registry::v1::CorrectIdentityRequest command;
  command.set_teacher_id(anna);
  command.mutable_identity()->set_display_name("安");
  command.set_reason("无");
  EXPECT_TRUE(absl::IsDataLoss(stage_.Call<registry::v1::CorrectIdentityResponse>(command).status()));
}

// A former name, say, as if it had been given again.
TEST_F(SealingTest, TextMovedToAnotherEventOfTheSameKindIsDataLoss) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::CorrectIdentityRequest command;
  command.set_teacher_id(anna);
  command.set_reason("无");
  command.mutable_identity()->set_display_name("安");
  ASSERT_TRUE(stage_.Call<registry::v1::CorrectIdentityResponse>(command).ok());
  const auto former =
      runtime::As<registry::v1::TeacherIdentityCorrected>(stage_.StoredEvents().back().View())->identity();
  command.set_request_id("");
  command.mutable_identity()->set_display_name("娜");
  ASSERT_TRUE(stage_.Call<registry::v1::CorrectIdentityResponse>(command).ok());
  ASSERT_TRUE(CheckSealed(stage_.store(), stage_.sealing().keys())->problems.empty());

  Forge(anna, former);
  command.mutable_identity()->set_display_name("丽");
  const absl::Status refused = stage_.Call<registry::v1::CorrectIdentityResponse>(command).status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  const eventstore::Event forged = stage_.StoredEvents().back();
  auto shown = *runtime::As<registry::v1::TeacherIdentityCorrected>(forged.View());
  EXPECT_TRUE(
      absl::IsDataLoss(stage_.sealing().OpenEvent(forged.View().Id(), shown, runtime::Language::kChinese)));
  const auto report = CheckSealed(stage_.store(), stage_.sealing().keys());
  ASSERT_EQ(report->problems.size(), 1u);
  EXPECT_EQ(report->problems.front().position, forged.position);
}

TEST_F(SealingTest, ChangedTextIsDataLoss) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::TeacherIdentity changed = Stored(anna).identity();
  std::string& text = *changed.mutable_display_name();
  text[text.size() - 5] = text[text.size() - 5] == 'x' ? 'y' : 'x';
  Forge(anna, changed);
  EXPECT_TRUE(absl::IsDataLoss(Get(anna).status()));
}

TEST_F(SealingTest, ARetryIsKnownAgainAfterARestartAndNotWithOtherKeys) {
  const auto request = Registration("安娜", "1001");
  const auto first = stage_.Call<registry::v1::RegisterTeacherResponse>(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string stored = stage_.store().FindCommit(request.request_id())->fingerprint;
  EXPECT_EQ(SealingOn(stage_.sealing().keys())->Fingerprint("x"), stage_.sealing().Fingerprint("x"))
      << "as after a restart";
  EXPECT_NE(MakeSealing()->Fingerprint("x"), stage_.sealing().Fingerprint("x"))
      << "without the installation's key nobody can try texts out";
  EXPECT_EQ(stored.size(), 32u);
  const auto again = stage_.Call<registry::v1::RegisterTeacherResponse>(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
}

TEST_F(SealingTest, StaffNumbersAreTaggedByAKeyedDigest) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::FindTeacherRequest find;
  find.set_org_id(school_);
  find.mutable_external_id()->set_system("staff-number");
  find.mutable_external_id()->set_id("1001");
  EXPECT_EQ(stage_.Call<registry::v1::FindTeacherResponse>(find)->teacher_id(), anna);
  const auto tags_of = [](const std::vector<eventstore::Event>& events) {
    std::set<std::string> tags;
    for (const auto& event : events) {
      for (const std::string& tag : event.tags) {
        if (tag.starts_with("external:")) tags.insert(tag);
      }
    }
    return tags;
  };
  Stage other;
  MakeSchool(other);
  ASSERT_TRUE(other.Call<registry::v1::RegisterTeacherResponse>(Registration("安娜", "1001")).ok());
  EXPECT_EQ(tags_of(stage_.StoredEvents()).size(), 1u);
  EXPECT_NE(tags_of(stage_.StoredEvents()), tags_of(other.StoredEvents()));
}

}  // namespace
}  // namespace qinglan::tests
