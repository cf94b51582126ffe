// What is held is not erased, and who asks is told why.
#include <gmock/gmock.h>

#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/harness/race.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

using ::testing::HasSubstr;

class HoldsTest : public SchoolTest {
 protected:
  privacy::v1::Hold Listed(const std::string& teacher_id) {
    privacy::v1::ListHoldsRequest request;
    request.set_teacher_id(teacher_id);
    return stage_.Call<privacy::v1::ListHoldsResponse>(request)->holds(0);
  }
  absl::Status Release(const std::string& hold_id, const runtime::Principal& as = {"tester", "", {}}) {
    privacy::v1::ReleaseHoldRequest request;
    request.set_hold_id(hold_id);
    request.set_authority("县人民法院");
    request.set_reason("结案");
    return stage_.Call<privacy::v1::ReleaseHoldResponse>(request, as).status();
  }
};

TEST_F(HoldsTest, AHoldRefusesAnErasureAndNamesWhoAskedForIt) {
  const std::string anna = Register("安娜", "1001");
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  const auto head = log().Head();
  const absl::Status refused = Erase(anna).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(runtime::ReasonOf(refused), "LEGAL_HOLD");
  const auto metadata = runtime::DetailOf(refused)->metadata();
  EXPECT_EQ(metadata.at("hold_id"), hold->hold_id());
  EXPECT_EQ(metadata.at("document_number"), Listed(anna).document_number());
  EXPECT_THAT(runtime::Describe(runtime::Language::kChinese, refused), HasSubstr("县人民法院"));
  EXPECT_THAT(runtime::Describe(runtime::Language::kEnglish, refused), HasSubstr("县人民法院"));
  EXPECT_EQ(log().Head(), head) << "a refusal records nothing";
  EXPECT_FALSE(keys().FindTombstone("teacher:" + anna).has_value());
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");

  ASSERT_TRUE(Release(hold->hold_id()).ok());
  EXPECT_EQ(runtime::ReasonOf(Release(hold->hold_id())), "ALREADY_DONE");
  EXPECT_TRUE(Erase(anna).ok());
}

TEST_F(HoldsTest, EachOfSeveralHoldsKeepsAndOneThatRanOutDoesNot) {
  const std::string anna = Register("安娜", "1001");
  const auto first = Hold(anna, "2026-03-02");  // today is its last day
  const auto second = Hold(anna);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  ASSERT_TRUE(Release(second->hold_id()).ok());
  EXPECT_EQ(runtime::ReasonOf(Erase(anna).status()), "LEGAL_HOLD");
  EXPECT_EQ(runtime::ReasonOf(Hold(anna, "2026-03-01").status()), "END_BEFORE_START");
  ASSERT_TRUE(Release(first->hold_id()).ok());
  privacy::v1::HoldPlaced ran_out;
  ran_out.set_hold_id(Id("old"));
  ran_out.set_teacher_id(anna);
  ran_out.set_until("2026-03-01");
  stage_.Given(
      {runtime::MakeEvent(ran_out, absl::CivilDay(2026, 2, 1),
                          {runtime::Tag("hold", ran_out.hold_id()), runtime::Tag("teacher", anna)})});
  EXPECT_TRUE(Erase(anna).ok());
}

TEST_F(HoldsTest, OnesHoldKeepsNobodyElse) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  ASSERT_TRUE(Hold(anna).ok());
  EXPECT_TRUE(Erase(bela).ok());
}

TEST_F(HoldsTest, NobodyDecidesOverTheirOwnRecord) {
  const std::string anna = Register("安娜", "1001");
  const runtime::Principal self{"user-anna", anna, {}};
  EXPECT_EQ(runtime::ReasonOf(stage_.Call<privacy::v1::ErasePersonResponse>(Erasure(anna), self).status()),
            "OWN_PRIVACY");
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok());
  EXPECT_EQ(runtime::ReasonOf(Release(hold->hold_id(), self)), "OWN_PRIVACY");
}

TEST_F(HoldsTest, TheTextsOfAThingAreHeldWithWhomTheyAreAbout) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  const std::string project = Id("project");
  research::v1::ProjectTerminated told;
  told.set_project_id(project);
  told.set_terminated_on("2026-03-01");
  stage_.Given({runtime::MakeEvent(told, absl::CivilDay(2026, 3, 1),
                                   {runtime::Tag("project", project), runtime::Tag("teacher", anna)})});
  privacy::v1::EraseThingTextRequest request;
  request.set_kind(privacy::v1::THING_KIND_PROJECT);
  request.set_thing_id(project);
  request.set_authority("县教育局");
  const auto erase = [&](const runtime::Principal& as) {
    return stage_.Call<privacy::v1::EraseThingTextResponse>(request, as).status();
  };
  const runtime::Principal tester{"tester", "", {}};
  ASSERT_TRUE(Hold(bela).ok());
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  const absl::Status refused = erase(tester);
  EXPECT_EQ(runtime::ReasonOf(refused), "LEGAL_HOLD");
  EXPECT_EQ(runtime::DetailOf(refused)->metadata().at("hold_id"), hold->hold_id());
  ASSERT_TRUE(Release(hold->hold_id()).ok());
  EXPECT_EQ(runtime::ReasonOf(erase({"user-anna", anna, {}})), "OWN_PRIVACY");
  EXPECT_TRUE(erase(tester).ok()) << "bela's hold is about nobody in it";
}

TEST_F(HoldsTest, AfterAnErasureThereIsNothingToHold) {
  const std::string anna = Register("安娜", "1001");
  ASSERT_TRUE(Erase(anna).ok());
  EXPECT_EQ(runtime::ReasonOf(Hold(anna).status()), "PERSON_ERASED");
}

TEST_F(HoldsTest, ReasonsAreSealedAndListedInClearUntilTheErasure) {
  const std::string anna = Register("安娜", "1001");
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok());
  ASSERT_TRUE(Release(hold->hold_id()).ok());
  const auto list = [&] {
    privacy::v1::ListHoldsRequest request;
    request.set_teacher_id(anna);
    return stage_.Call<privacy::v1::ListHoldsResponse>(request);
  };
  ASSERT_EQ(list()->holds_size(), 1);
  EXPECT_EQ(list()->holds(0).reason(), "案件审理");
  EXPECT_EQ(list()->holds(0).released_on(), "2026-03-02");
  for (const auto& event : stage_.StoredEvents())
    EXPECT_THAT(event.payload, ::testing::Not(HasSubstr("案件审理")));
  ASSERT_TRUE(Erase(anna).ok());
  EXPECT_EQ(list()->holds(0).reason(), kErased);
  EXPECT_EQ(list()->holds(0).authority(), "县人民法院") << "who decided is no secret of anna's";
}

TEST_F(HoldsTest, OfAHoldAndAnErasureAtOnceOnlyTheFirstStands) {
  for (int round = 0; round < 20; ++round) {
    const std::string anna = Register("安娜", std::to_string(2000 + round));
    const auto ends = Race({[&] { return Hold(anna).status(); }, [&] { return Erase(anna).status(); }});
    EXPECT_THAT(LoserOf(ends), ::testing::AnyOf("LEGAL_HOLD", "PERSON_ERASED"));
    EXPECT_EQ(keys().FindTombstone("teacher:" + anna).has_value(), ends[1].ok());
  }
}

}  // namespace
}  // namespace qinglan::tests
