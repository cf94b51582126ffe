#include "services/qinglan/bench/workload/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "eventstore/query.h"

namespace qinglan::bench {
namespace {

using eventstore::NewEvent;
using eventstore::Position;

constexpr WorkloadOptions kSmall{.people = 500};

TEST(Workload, TheSameSeedMakesTheSameEventsAndAnotherSeedOthers) {
  const Workload one(kSmall);
  const Workload again(kSmall);
  WorkloadOptions other_options = kSmall;
  other_options.seed = 2;
  const Workload other(other_options);
  for (const uint64_t number : {0, 1, 77, 123'456}) {
    EXPECT_EQ(one.Event(number).payload, again.Event(number).payload);
    EXPECT_EQ(one.Event(number).tags, again.Event(number).tags);
    EXPECT_NE(one.Event(number).payload, other.Event(number).payload);
    EXPECT_NE(one.Teacher(number), other.Teacher(number));
  }
}

TEST(Workload, AnEventHasTheBytesAndTagsThatWereAskedFor) {
  for (const int bytes : {kEventBytesMin, 250, 4096}) {
    for (const int tags : {1, 3, kTagsMax}) {
      const Workload workload({.event_bytes = bytes, .tags = tags, .people = 500});
      const NewEvent event = workload.Event(42);
      size_t type_and_tags = event.type.size();
      for (const std::string& tag : event.tags) type_and_tags += tag.size();
      EXPECT_EQ(event.tags.size(), tags);
      EXPECT_EQ(std::set<std::string>(event.tags.begin(), event.tags.end()).size(), tags) << "no tag twice";
      EXPECT_EQ(type_and_tags + event.payload.size(), std::max(static_cast<size_t>(bytes), type_and_tags));
      EXPECT_TRUE(CheckRequest(workload.Commit(0, 42, 1, std::nullopt)).ok());
    }
  }
}

TEST(Workload, EachTeacherHasTwentyEventsFarApart) {
  const Workload workload(kSmall);
  std::map<std::string, uint64_t> events;
  std::map<std::string, uint64_t> last_seen;
  for (uint64_t number = 0; number < kSmall.people * kEventsOfATeacher; ++number) {
    const std::string teacher = workload.Teacher(number);
    if (const auto seen = last_seen.find(teacher); seen != last_seen.end()) {
      EXPECT_GE(number - seen->second, kSmall.people / 2);
    }
    last_seen[teacher] = number;
    ++events[teacher];
  }
  EXPECT_EQ(events.size(), kSmall.people);
  for (const auto& [teacher, count] : events) ASSERT_EQ(count, kEventsOfATeacher) << teacher;
}

TEST(Workload, OneSchoolHasHalfOfTheLogAndASessionItsThirtyTwo) {
  const Workload workload(kSmall);
  std::map<std::string, int> schools;
  std::map<std::string, int> sessions;
  constexpr int kEvents = 10'240;
  for (int number = 0; number < kEvents; ++number) {
    ++schools[workload.School(static_cast<uint64_t>(number))];
    ++sessions[workload.Session(static_cast<uint64_t>(number))];
  }
  EXPECT_EQ(schools.size(), 64);
  EXPECT_NEAR(schools[Workload::LargestSchool()], kEvents / 2, kEvents / 20);
  EXPECT_EQ(sessions.size(), kEvents / 32);
}

TEST(Workload, ACommitsIdIsItsRunsAndItsConditionItsFirstTeachers) {
  const Workload workload(kSmall);
  const auto commit = workload.Commit(7, 100, 3, Position(99));
  EXPECT_EQ(commit.events.size(), 3);
  EXPECT_EQ(commit.commit_id.size(), 36);
  EXPECT_EQ(commit.fingerprint.size(), 32);
  EXPECT_EQ(commit.commit_id, workload.Commit(7, 100, 3, std::nullopt).commit_id);
  EXPECT_NE(commit.commit_id, workload.Commit(8, 100, 3, std::nullopt).commit_id);
  EXPECT_NE(commit.commit_id, workload.Commit(7, 101, 3, std::nullopt).commit_id);
  ASSERT_TRUE(commit.condition.has_value());
  EXPECT_EQ(commit.condition->after, Position(99));
  EXPECT_EQ(commit.condition->fail_if_events_match,
            (eventstore::Query{{eventstore::QueryItem{{}, {workload.Teacher(100)}}}}));
}

}  // namespace
}  // namespace qinglan::bench
