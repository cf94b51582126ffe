// Two writers at once, on a real log: one decision a step, and never one behind a bar.
#include <gtest/gtest.h>

#include <string>

#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/race.h"
#include "tests/harness/stage.h"

namespace qinglan::progression {
namespace {

using tests::Id;
using tests::LoserOf;
using tests::Race;

constexpr int kRounds = 25;

class ProgressionRace : public testing::Test {
 protected:
  std::string Teacher(int round) {
    registry::v1::TeacherRegistered registered;
    registered.set_teacher_id(Id("teacher" + std::to_string(round) + "x"));
    registered.set_teaching_since("2018-09-01");
    stage_.Given({runtime::MakeEvent(registered, absl::CivilDay(2020, 9, 1),
                                     {runtime::Tag("teacher", registered.teacher_id())})});
    return registered.teacher_id();
  }

  absl::Status Decide(const std::string& teacher_id, const std::string& document_no) {
    v1::RecordTierDecisionRequest request;
    request.set_teacher_id(teacher_id);
    request.set_tier(scale::v1::TIER_QUALIFIED);
    request.set_decided_on("2025-09-10");
    request.set_authority("青山县教育局");
    request.set_document_no(document_no);
    return stage_.Call<v1::RecordTierDecisionResponse>(request).status();
  }

  tests::Stage stage_;
};

TEST_F(ProgressionRace, ATierIsDecidedOnce) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher_id = Teacher(round);
    const auto ends =
        Race({[&] { return Decide(teacher_id, "30号"); }, [&] { return Decide(teacher_id, "31号"); }});
    ASSERT_EQ(LoserOf(ends), "DECIDED_LATER_ALREADY") << round;
  }
}

// However close the two come: a decision that follows the bar in the log was refused.
TEST_F(ProgressionRace, NoTierIsDecidedBehindABar) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher_id = Teacher(round);
    const auto ends = Race({[&] { return Decide(teacher_id, "30号"); },
                            [&] {
                              appraisal::v1::BarImposed bar;
                              bar.set_bar_id(Id("bar"));
                              bar.set_teacher_id(teacher_id);
                              bar.set_kind(appraisal::v1::BAR_KIND_VETO);
                              bar.set_starts_on("2025-01-01");
                              stage_.Given({runtime::MakeEvent(bar, absl::CivilDay(2025, 1, 1),
                                                               {runtime::Tag("teacher", teacher_id)})});
                              return absl::OkStatus();
                            }});
    bool barred = false;
    bool decided = false;
    for (const eventstore::Event& event : stage_.Events()) {
      if (!event.View().HasTag(runtime::Tag("teacher", teacher_id))) continue;
      if (event.type == runtime::TypeOf<appraisal::v1::BarImposed>()) barred = true;
      if (event.type == runtime::TypeOf<v1::TierDecided>()) {
        decided = true;
        ASSERT_FALSE(barred) << round;
      }
    }
    ASSERT_EQ(decided, ends[0].ok()) << round;
    if (!decided) {
      ASSERT_EQ(runtime::ReasonOf(ends[0]), "BARRED") << round;
    }
  }
}

}  // namespace
}  // namespace qinglan::progression
