// What is recorded and not done is done at a start, unless it is held.
#include "services/privacy/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "services/privacy/service.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/harness/forwarding_store.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

constexpr absl::CivilDay kToday(2026, 3, 2);

// A log of which a look at the holds ends with an error, once it is told so.
class UnreadableHolds final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status refused;

  absl::StatusOr<eventstore::Position> Read(const eventstore::Query& query,
                                            const eventstore::ReadOptions& options,
                                            eventstore::EventVisitor visit) const override {
    const std::string& placed = privacy::v1::HoldPlaced::descriptor()->full_name();
    for (const auto& item : query.items) {
      if (!refused.ok() && std::count(item.types.begin(), item.types.end(), placed) > 0) return refused;
    }
    return store_.Read(query, options, visit);
  }
};

// A log into which somebody wrote what no decision made.
class HeldCompletion : public SchoolTest {
 protected:
  std::string RecordErased(const std::string& teacher_id) {
    const std::string erasure_id = Id("of-" + std::to_string(++erasures_));
    stage_.Given({Erased(teacher_id, erasure_id)});
    return erasure_id;
  }

  // A project that names the teacher.
  std::string Project(const std::string& teacher_id) {
    research::v1::ProjectTerminated told;
    told.set_project_id(Id("project"));
    told.set_terminated_on("2026-03-01");
    stage_.Given({runtime::MakeEvent(
        told, kToday, {runtime::Tag("project", told.project_id()), runtime::Tag("teacher", teacher_id)})});
    return told.project_id();
  }

  void RecordErasedProject(const std::string& project_id) {
    privacy::v1::ThingTextErased erased;
    erased.set_erasure_id(Id("erasure"));
    erased.set_kind(privacy::v1::THING_KIND_PROJECT);
    erased.set_thing_id(project_id);
    stage_.Given({runtime::MakeEvent(
        erased, kToday,
        {runtime::Tag("erasure", erased.erasure_id()), runtime::Tag("project", project_id)})});
  }

  void Start() {
    const absl::Status begun = privacy::BeginPrivacy(stage_.store(), stage_.table().environment());
    ASSERT_TRUE(begun.ok()) << begun;
  }

  void Release(const std::string& hold_id) {
    privacy::v1::ReleaseHoldRequest request;
    request.set_hold_id(hold_id);
    request.set_authority("县人民法院");
    request.set_reason("结案");
    const auto released = stage_.Call<privacy::v1::ReleaseHoldResponse>(request);
    ASSERT_TRUE(released.ok()) << released.status();
  }

  bool IsGone(const std::string& subject) { return keys().FindTombstone(subject).has_value(); }

  int erasures_ = 0;
};

TEST_F(HeldCompletion, AHoldThatWasThereBeforeKeepsTheKeyUntilItEnds) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  const std::string erasure = RecordErased(anna);
  RecordErased(bela);
  Start();
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜")
      << "a hold stands in the way, whoever recorded what";
  EXPECT_TRUE(IsGone("teacher:" + bela)) << "and in nobody else's";
  privacy::v1::GetErasureReceiptRequest ask;
  ask.set_erasure_id(erasure);
  EXPECT_TRUE(absl::IsUnavailable(stage_.Call<privacy::v1::GetErasureReceiptResponse>(ask).status()));
  Release(hold->hold_id());
  Start();
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased);
  EXPECT_TRUE(stage_.Call<privacy::v1::GetErasureReceiptResponse>(ask).ok());
}

TEST_F(HeldCompletion, AHoldThatEndedBeforeOrCameAfterwardsIsNotInTheWay) {
  const std::string anna = Register("安娜", "1001");
  const auto ended = Hold(anna);
  ASSERT_TRUE(ended.ok());
  Release(ended->hold_id());
  RecordErased(anna);
  privacy::v1::HoldPlaced late;  // which PlaceHold refuses
  late.set_hold_id(Id("late"));
  late.set_teacher_id(anna);
  stage_.Given({runtime::MakeEvent(late, kToday,
                                   {runtime::Tag("hold", late.hold_id()), runtime::Tag("teacher", anna)})});
  Start();
  EXPECT_TRUE(IsGone("teacher:" + anna));
}

TEST_F(HeldCompletion, TheTextsOfAThingAreKeptWithWhomTheyAreAbout) {
  const std::string anna = Register("安娜", "1001");
  const std::string project = Project(anna);
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok());
  RecordErasedProject(project);
  Start();
  EXPECT_FALSE(IsGone("project:" + project));
  Release(hold->hold_id());
  Start();
  EXPECT_TRUE(IsGone("project:" + project));
}

// Unlike one on an erased person, which is refused.
TEST_F(HeldCompletion, AHoldThatCameAfterAThingsErasureKeepsWhatIsStillThere) {
  const std::string anna = Register("安娜", "1001");
  const std::string project = Project(anna);
  RecordErasedProject(project);
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  Start();
  EXPECT_FALSE(IsGone("project:" + project));
  Release(hold->hold_id());
  Start();
  EXPECT_TRUE(IsGone("project:" + project));
}

TEST_F(HeldCompletion, WhoMayBeHeldIsReadableWhileTheHoldsCannotBeRead) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  ASSERT_TRUE(Hold(anna).ok());
  RecordErased(anna);
  RecordErased(bela);
  UnreadableHolds log(stage_.store());
  log.refused = absl::UnavailableError("nobody serves the log");
  const auto& environment = stage_.table().environment();
  EXPECT_TRUE(absl::IsUnavailable(privacy::CompleteErasures(log, environment).status()));
  const privacy::Erasure one{.subject = "teacher:" + anna, .position = *stage_.store().Head()};
  EXPECT_TRUE(absl::IsUnavailable(privacy::CompleteErasure(log, environment, one).status()));
  EXPECT_TRUE(absl::IsUnavailable(privacy::BeginPrivacy(log, environment))) << "as for any log not read";
  EXPECT_EQ(keys().Count().withheld, 0U);
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");
  log.refused = absl::OkStatus();
  const auto completion = privacy::CompleteErasures(log, environment);
  ASSERT_TRUE(completion.ok()) << completion.status();
  EXPECT_EQ(completion->completed, 1);
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");
  EXPECT_TRUE(IsGone("teacher:" + bela));
}

TEST_F(HeldCompletion, HoldsThatDoNotParseKeepNoOtherErasureFromBeingDone) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  stage_.Given({{privacy::v1::HoldPlaced::descriptor()->full_name(),
                 {runtime::Tag("teacher", anna)},
                 kToday,
                 "\xff no message"}});
  RecordErased(anna);
  RecordErased(bela);
  Start();
  EXPECT_TRUE(IsGone("teacher:" + bela));
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜") << "nobody knows whether it is held";
}

}  // namespace
}  // namespace qinglan::tests
