// G6: catching up, going live, and what a slow follower may not do.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::Duration kLong = absl::Seconds(20);

class SubscriptionTest : public ContractTest {
 protected:
  std::unique_ptr<Subscription> Follow(Query query, Position after = Position(0)) {
    auto subscription = store().Subscribe(std::move(query), after);
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return *std::move(subscription);
  }
  static auto Into(std::vector<uint64_t>& seen) {
    return [&seen](const EventView& event) {
      seen.push_back(event.position.value);
      return true;
    };
  }
};
QL_ON_EVERY_IMPLEMENTATION(SubscriptionTest);

TEST_P(SubscriptionTest, CatchesUpInBatchesAndSaysSo) {
  Put("a", {"t:1"}, 3);
  Put("b", {"t:2"}, 2);
  const auto subscription = Follow(Query::All());
  std::vector<uint64_t> seen;
  const auto first = subscription->Next(2, kLong, Into(seen));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->position, Position(2));
  EXPECT_FALSE(first->caught_up);
  const auto second = subscription->Next(100, kLong, Into(seen));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->position, Position(5));
  EXPECT_TRUE(second->caught_up);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(SubscriptionTest, BeginsAfterTheGivenPositionAndTakesOnlyWhatMatches) {
  Put("a", {"t:1"}, 3);
  Put("b", {"t:2"}, 2);
  Put("a", {"t:1"});
  const auto subscription = Follow(Tagged({"t:1"}), Position(2));
  std::vector<uint64_t> seen;
  ASSERT_TRUE(subscription->Next(100, kLong, Into(seen)).ok());
  EXPECT_THAT(seen, ElementsAre(3, 6));
}

TEST_P(SubscriptionTest, WithNothingThereItWaitsNoLongerThanAskedAndMovesOnPastWhatDoesNotMatch) {
  Put("a", {"t:1"}, 3);
  const auto subscription = Follow(Tagged({"t:9"}));
  std::vector<uint64_t> seen;
  const auto progress = subscription->Next(100, absl::Milliseconds(20), Into(seen));
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_EQ(progress->position, Position(3));
  EXPECT_TRUE(progress->caught_up);
  EXPECT_THAT(seen, IsEmpty());
}

TEST_P(SubscriptionTest, AWaitingFollowerIsWokenByTheAppend) {
  const auto subscription = Follow(Tagged({"t:1"}));
  std::thread writer([&] {
    absl::SleepFor(absl::Milliseconds(30));
    Put("b", {"t:2"});
    absl::SleepFor(absl::Milliseconds(30));
    Put("a", {"t:1"});
  });
  std::vector<uint64_t> seen;
  const auto progress = subscription->Next(100, absl::InfiniteDuration(), Into(seen));
  writer.join();
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_THAT(seen, ElementsAre(2));
}

TEST_P(SubscriptionTest, AfterPastTheHeadIsInvalid) {
  Put("a", {});
  EXPECT_TRUE(store().Subscribe(Query::All(), Position(1)).ok());
  EXPECT_EQ(store().Subscribe(Query::All(), Position(2)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(SubscriptionTest, TheVisitorsFalseEndsTheBatchAfterThatEvent) {
  Put("a", {"t:1"}, 3);
  const auto subscription = Follow(Query::All());
  const auto progress =
      subscription->Next(100, kLong, [](const EventView& event) { return event.position < Position(2); });
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_EQ(progress->position, Position(2));
  std::vector<uint64_t> rest;
  ASSERT_TRUE(subscription->Next(100, kLong, Into(rest)).ok());
  EXPECT_THAT(rest, ElementsAre(3));
}

TEST_P(SubscriptionTest, CancelEndsAWaitingNextAndEveryLaterOne) {
  const auto subscription = Follow(Query::All());
  std::thread canceller([&] {
    absl::SleepFor(absl::Milliseconds(30));
    subscription->Cancel();
  });
  std::vector<uint64_t> seen;
  EXPECT_EQ(subscription->Next(1, kLong, Into(seen)).status().code(), absl::StatusCode::kCancelled);
  canceller.join();
  Put("a", {});
  EXPECT_EQ(subscription->Next(1, kLong, Into(seen)).status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(seen, IsEmpty());
}

TEST_P(SubscriptionTest, ClosingTheStoreCancelsItsFollowers) {
  auto subscription = Follow(Query::All());
  std::atomic<bool> inside = false;
  absl::Status end;
  std::thread follower([&] {
    inside = true;
    end = subscription->Next(1, kLong, [](const EventView&) { return true; }).status();
    subscription.reset();
  });
  while (!inside) std::this_thread::yield();
  absl::SleepFor(absl::Milliseconds(20));
  under_test().Close();
  follower.join();
  EXPECT_EQ(end.code(), absl::StatusCode::kCancelled);
}

TEST_P(SubscriptionTest, ASlowFollowerHoldsUpNoWriter) {
  Put("a", {"t:1"}, 2);
  const auto subscription = Follow(Query::All());
  std::vector<uint64_t> seen;
  const auto progress = subscription->Next(100, kLong, [&](const EventView& event) {
    if (seen.empty()) {
      for (int i = 0; i < 20; ++i) Put("b", {"t:2"});  // all acknowledged while this visitor has not returned
    }
    seen.push_back(event.position.value);
    return true;
  });
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_FALSE(progress->caught_up);
  while (seen.size() < 22) ASSERT_TRUE(subscription->Next(7, kLong, Into(seen)).ok());
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
}

}  // namespace
}  // namespace qinglan::eventstore
