// The largest that each command takes fits the log's own limits: events of a commit, items and terms of a
// condition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qinglan/training/v1/credit_events.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "tests/services/training/world.h"

namespace qinglan::training {
namespace {

std::vector<std::string> Blocks(int count) {
  std::vector<std::string> blocks;
  for (int i = 0; i < count; ++i) blocks.push_back(fmt::format("2026-01-{:02} {}", i / 2 + 1, i % 2 + 1));
  return blocks;
}

template <class M>
int Count(World& world) {
  int count = 0;
  for (const auto& event : world.stage().Events())
    count += event.type == M::descriptor()->full_name() ? 1 : 0;
  return count;
}

TEST(Limits, AFullOutsideSessionIsCompletedInOneCommit) {
  World world(World::Kind::kOutside);
  const std::string session = world.Schedule(300, {"2026-02-07 1"});
  for (int first = 0; first < 300; first += 60) {
    ASSERT_TRUE(world.EnrolAll(session, World::Teachers(first, 60)).ok());
    ASSERT_TRUE(
        world.Record(session, "2026-02-07 1", World::Teachers(first, 60), v1::ATTENDANCE_STATUS_PRESENT)
            .ok());
  }
  const auto before = world.stage().store().Head();
  const auto completed = world.Complete(session);
  ASSERT_TRUE(completed.ok()) << completed.status();
  EXPECT_EQ(completed->completed(), 300u);
  EXPECT_EQ(completed->position(), before->value + 1 + 3 * 300);
  EXPECT_EQ(Count<v1::CreditHoursAwarded>(world), 300);
  EXPECT_EQ(Count<v1::BringBackOpened>(world), 300);
  EXPECT_EQ(Count<v1::ParticipationAssessed>(world), 300);
}

TEST(Limits, SixtyWalkInsOfALongSessionFitOneCommand) {
  World world;
  const std::string session = world.Schedule(60, Blocks(25));
  const absl::Status status =
      world.Record(session, Blocks(25)[0], World::Teachers(0, 60), v1::ATTENDANCE_STATUS_PRESENT, true);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Count<v1::TeacherEnrolled>(world), 60);
  EXPECT_EQ(Count<v1::AttendanceRecorded>(world), 60);
}

TEST(Limits, SixtyMoveTogetherAndSixtyOneDoNot) {
  World world;
  const std::string session = world.Schedule(61, {"2026-02-07 1"});
  ASSERT_TRUE(world.EnrolAll(session, World::Teachers(0, 60)).ok());
  ASSERT_TRUE(world.Reschedule(session, 61, {"2026-02-08 1"}).ok());
  EXPECT_EQ(Count<v1::EnrolmentMoved>(world), 60);
  ASSERT_TRUE(world.Enrol(session, World::Teachers(60, 1)[0]).ok());
  EXPECT_EQ(runtime::ReasonOf(world.Reschedule(session, 61, {"2026-02-09 1"})), "TOO_MANY_TO_MOVE");
  // The place is another matter: nobody's day changes.
  v1::RescheduleSessionRequest elsewhere;
  elsewhere.set_session_id(session);
  elsewhere.set_place("二中");
  elsewhere.set_capacity(61);
  elsewhere.set_reason("换场地");
  *elsewhere.add_blocks() = World::BlockOf("2026-02-08 1");
  EXPECT_TRUE(world.stage().Call<v1::RescheduleSessionResponse>(elsewhere).ok());
  EXPECT_EQ(Count<v1::EnrolmentMoved>(world), 60 + 61);
}

TEST(Limits, ARefusedListNamesEachTeacherWithTheReason) {
  World world;
  const std::string session = world.Schedule(60, {"2026-02-07 1"});
  const std::string other = world.Schedule(60, {"2026-02-07 1"});
  const auto teachers = World::Teachers(0, 3);
  ASSERT_TRUE(world.Enrol(session, teachers[0]).ok());
  ASSERT_TRUE(world.Enrol(other, teachers[1]).ok());
  const auto detail = runtime::DetailOf(world.EnrolAll(session, teachers));
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->metadata().at("refused"),
            teachers[0] + "=ALREADY_ENROLLED," + teachers[1] + "=SESSIONS_OVERLAP");
  EXPECT_EQ(detail->metadata().at("count"), "2");
}

TEST(Limits, ARefusedListFitsATrailer) {
  World world;
  const std::string session = world.Schedule(60, {"2026-02-07 1"});
  const auto teachers = World::Teachers(0, 60);
  ASSERT_TRUE(world.EnrolAll(session, teachers).ok());
  const auto detail = runtime::DetailOf(world.EnrolAll(session, teachers));
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->metadata().at("count"), "60");
  EXPECT_LT(detail->ByteSizeLong(), 2000U) << "it travels twice, as details and as a sentence, in 8 KiB";
}

}  // namespace
}  // namespace qinglan::training
