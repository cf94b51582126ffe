// Two writers at once: what each read must still be all there is when it is appended, so exactly one of two
// that exclude each other wins. Every race is run many times, on the real log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "services/runtime/decision.h"
#include "tests/services/training/world.h"

namespace qinglan::training {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr int kRounds = 25;

// Runs each on a thread of its own, let go together; returns their reasons, "" for success.
std::vector<std::string> Race(const std::vector<std::function<absl::Status()>>& writers) {
  std::vector<std::string> reasons(writers.size());
  std::atomic<size_t> ready = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < writers.size(); ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < writers.size()) std::this_thread::yield();
      const absl::Status status = writers[i]();
      reasons[i] = status.ok() ? "" : runtime::ReasonOf(status);
      if (!status.ok() && reasons[i].empty()) reasons[i] = status.ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return reasons;
}

TEST(Races, TheLastPlaceIsTakenOnce) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string session = world.Schedule(1, {fmt::format("2026-01-{:02} 1", round + 1)});
    const auto reasons = Race({[&] { return world.Enrol(session, tests::Id("anna")); },
                               [&] { return world.Enrol(session, tests::Id("bo")); }});
    ASSERT_THAT(reasons, UnorderedElementsAre("", "SESSION_FULL"));
    ASSERT_EQ(world.Get(session).participants_size(), 1);
  }
}

TEST(Races, ManyWritersNeverOverfillASession) {
  World world;
  const std::string session = world.Schedule(5, {"2026-02-07 1"});
  std::vector<std::function<absl::Status()>> writers;
  for (const std::string& teacher : World::Teachers(0, 8)) {
    writers.push_back([&world, &session, teacher] { return world.Enrol(session, teacher); });
  }
  const auto reasons = Race(writers);
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), ""), 5);
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "SESSION_FULL"), 3);
  EXPECT_EQ(world.Get(session).participants_size(), 5);
}

TEST(Races, OneTeacherIsNotEnrolledInTwoSessionsOfOneHalfDay) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher = World::Teachers(round, 1)[0];
    const std::string day = fmt::format("2026-01-{:02} 1", round + 1);
    const std::string one = world.Schedule(9, {day});
    const std::string other = world.Schedule(9, {day});
    const auto reasons =
        Race({[&] { return world.Enrol(one, teacher); }, [&] { return world.Enrol(other, teacher); }});
    ASSERT_THAT(reasons, UnorderedElementsAre("", "SESSIONS_OVERLAP"));
  }
}

TEST(Races, ASessionDoesNotMoveOntoAnEnrolmentMadeMeanwhile) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string teacher = World::Teachers(round, 1)[0];
    const std::string day = fmt::format("2026-01-{:02}", round + 1);
    const std::string moving = world.Schedule(9, {day + " 1"});
    const std::string other = world.Schedule(9, {day + " 2"});
    ASSERT_TRUE(world.Enrol(moving, teacher).ok());
    const auto reasons = Race({[&] { return world.Reschedule(moving, 9, {day + " 2"}); },
                               [&] { return world.Enrol(other, teacher); }});
    ASSERT_THAT(reasons,
                ::testing::AnyOf(ElementsAre("", "SESSIONS_OVERLAP"), ElementsAre("MOVE_REFUSED", "")));
  }
}

TEST(Races, AHalfDayIsRecordedOnce) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string day = fmt::format("2026-01-{:02} 1", round + 1);
    const std::string session = world.Schedule(9, {day});
    ASSERT_TRUE(world.Enrol(session, tests::Id("anna")).ok());
    const auto reasons = Race({
        [&] { return world.Record(session, day, {tests::Id("anna")}, v1::ATTENDANCE_STATUS_PRESENT); },
        [&] { return world.Record(session, day, {tests::Id("anna")}, v1::ATTENDANCE_STATUS_ABSENT, true); },
    });
    ASSERT_THAT(reasons, UnorderedElementsAre("", "MARKS_REFUSED"));
  }
}

TEST(Races, ManySignInAtOnceAndNobodyIsLost) {
  World world;
  const std::string session = world.Schedule(60, {"2026-02-07 1"});
  ASSERT_TRUE(world.EnrolAll(session, World::Teachers(0, 16)).ok());
  std::vector<std::function<absl::Status()>> writers;
  for (const std::string& teacher : World::Teachers(0, 16)) {
    writers.push_back([&world, &session, teacher] {
      return world.Record(session, "2026-02-07 1", {teacher}, v1::ATTENDANCE_STATUS_PRESENT);
    });
  }
  EXPECT_THAT(Race(writers), ::testing::Each(""));
}

TEST(Races, OfTwoCorrectionsOfOneRecordOneWins) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string day = fmt::format("2026-01-{:02} 1", round + 1);
    const std::string session = world.Schedule(9, {day});
    ASSERT_TRUE(world.Record(session, day, {tests::Id("anna")}, v1::ATTENDANCE_STATUS_ABSENT, true).ok());
    const std::string record = world.Get(session).participants(0).marks(0).event_id();
    const auto correct = [&](v1::AttendanceStatus status) {
      return world.Correct(session, tests::Id("anna"), day, record, status);
    };
    const auto reasons = Race({[&] { return correct(v1::ATTENDANCE_STATUS_LATE); },
                               [&] { return correct(v1::ATTENDANCE_STATUS_EXCUSED); }});
    ASSERT_THAT(reasons, UnorderedElementsAre("", "CORRECTED_ALREADY"));
  }
}

// Whichever comes first, the hours agree with the attendance that holds in the end.
TEST(Races, CompletionAndCorrectionAgree) {
  World world;
  for (int round = 0; round < kRounds; ++round) {
    const std::string day = fmt::format("2026-01-{:02} 1", round + 1);
    const std::string teacher = World::Teachers(round, 1)[0];
    const std::string session = world.Schedule(9, {day});
    ASSERT_TRUE(world.Record(session, day, {teacher}, v1::ATTENDANCE_STATUS_ABSENT, true).ok());
    const std::string record = world.Get(session).participants(0).marks(0).event_id();
    const auto reasons =
        Race({[&] { return world.Complete(session).status(); },
              [&] { return world.Correct(session, teacher, day, record, v1::ATTENDANCE_STATUS_PRESENT); }});
    ASSERT_THAT(reasons, ElementsAre("", ""));
    EXPECT_EQ(world.Get(session).participants(0).assessment().credit_tenths(), 40u);
  }
}

}  // namespace
}  // namespace qinglan::training
