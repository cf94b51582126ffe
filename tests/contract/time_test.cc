// G3: recorded_at never goes back, so what was known at an instant is a prefix of the log.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

class TimeTest : public ContractTest {
 protected:
  void SetUp() override {
    Start({.clock = [this] { return kStart + absl::Microseconds(now_.load()); }});
  }
  Position KnownAt(absl::Time instant) {
    const auto head = store().HeadAt(instant);
    EXPECT_TRUE(head.ok()) << head.status();
    return head.value_or(Position());
  }
  void Now(absl::Duration since_start) { now_ = absl::ToInt64Microseconds(since_start); }

 private:
  std::atomic<int64_t> now_ = 0;
};
QL_ON_EVERY_IMPLEMENTATION(TimeTest);

TEST_P(TimeTest, EventsBearTheTimeOfTheClockInMicroseconds) {
  Now(absl::Microseconds(1234567));
  const Appended appended = Put("a", {}, 2);
  EXPECT_EQ(appended.recorded_at, kStart + absl::Microseconds(1234567));
  for (const Event& event : ReadAll(Query::All())) EXPECT_EQ(event.recorded_at, appended.recorded_at);
}

TEST_P(TimeTest, AClockThatJumpsBackDoesNotTakeRecordedAtBack) {
  Now(absl::Hours(5));
  Put("a", {});
  Now(absl::Hours(1));
  EXPECT_EQ(Put("a", {}).recorded_at, kStart + absl::Hours(5));
  under_test().Reopen();
  EXPECT_EQ(Put("a", {}).recorded_at, kStart + absl::Hours(5));
  Now(absl::Hours(6));
  EXPECT_EQ(Put("a", {}).recorded_at, kStart + absl::Hours(6));
}

TEST_P(TimeTest, HeadAtIsTheLastPositionRecordedAtOrBeforeTheInstant) {
  EXPECT_EQ(KnownAt(kStart), Position(0));
  for (int hour = 1; hour <= 20; ++hour) {
    Now(absl::Hours(hour));
    Put("a", {}, 1 + static_cast<size_t>(hour) % 4);
  }
  Put("a", {});  // recorded in the same instant as the one before
  EXPECT_EQ(KnownAt(kStart), Position(0));
  EXPECT_EQ(KnownAt(absl::InfinitePast()), Position(0));
  EXPECT_EQ(KnownAt(absl::InfiniteFuture()), HeadNow());
  for (int hour = 1; hour <= 20; ++hour) {
    uint64_t expected = 0;
    for (const Event& event : ReadAll(Query::All())) {
      if (event.recorded_at <= kStart + absl::Hours(hour)) expected = event.position.value;
    }
    EXPECT_EQ(KnownAt(kStart + absl::Hours(hour)), Position(expected));
    EXPECT_EQ(KnownAt(kStart + absl::Hours(hour) + absl::Minutes(59)), Position(expected));
  }
}

// What was known at an instant that has passed is asked again years later, and the answer must be the same.
TEST_P(TimeTest, WhatHeadAtAnsweredOnceItAnswersForEver) {
  Now(absl::Hours(1));
  Put("a", {});
  const absl::Time asked = kStart + absl::Hours(1);
  const Position answered = KnownAt(asked);
  EXPECT_EQ(answered, Position(1));
  Put("a", {});  // the clock shows the instant that was asked about
  EXPECT_EQ(KnownAt(asked), answered);
  Now(absl::Minutes(30));  // and here it jumped back behind it
  EXPECT_EQ(KnownAt(kStart + absl::Minutes(45)), Position(0));
  Put("a", {});
  EXPECT_EQ(KnownAt(asked), answered);
  EXPECT_EQ(KnownAt(absl::InfiniteFuture()), HeadNow());
}

TEST_P(TimeTest, WhatHeadAtAnsweredStaysWhileWritersAreAtWork) {
  std::atomic<bool> stop = false;
  std::atomic<int> micros = 0;
  std::thread clock([&] {
    while (!stop) Now(absl::Microseconds(++micros));
  });
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) Put("a", {});
    stop = true;
  });
  std::vector<std::pair<absl::Time, Position>> answers;
  while (!stop) {
    const absl::Time now = kStart + absl::Microseconds(micros.load() - 1);  // that the clock has shown
    answers.emplace_back(now, KnownAt(now));
  }
  writer.join();
  clock.join();
  for (const auto& [instant, answer] : answers) ASSERT_EQ(KnownAt(instant), answer) << instant;
}

}  // namespace
}  // namespace qinglan::eventstore
