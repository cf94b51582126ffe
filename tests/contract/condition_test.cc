// G4: the condition is checked atomically with the append.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using absl::StatusCode;

class ConditionTest : public ContractTest {
 protected:
  absl::StatusOr<Appended> TryAppend(const std::string& commit_id, std::vector<std::string> tags,
                                     Query condition, Position after) {
    return store().AppendAndWait(WithCondition(MakeRequest(commit_id, {MakeEvent("a", std::move(tags))}),
                                               std::move(condition), after));
  }
};
QL_ON_EVERY_IMPLEMENTATION(ConditionTest);

TEST_P(ConditionTest, HoldsWhenNothingMatches) {
  Put("a", {"t:1"});
  EXPECT_TRUE(TryAppend("c", {"t:2"}, Tagged({"t:2"}), Position(0)).ok());
  EXPECT_TRUE(TryAppend("d", {"t:3"}, Query::Nothing(), Position(0)).ok());
}

TEST_P(ConditionTest, HoldsWhenWhatMatchesIsNotPastTheGivenPosition) {
  const Appended seen = Put("a", {"t:1"});
  EXPECT_TRUE(TryAppend("c", {"t:1"}, Tagged({"t:1"}), seen.last).ok());
}

TEST_P(ConditionTest, AppendAfterConflictingEventIsAbortedAndTellsItsPosition) {
  Put("a", {"t:1"}, 2);
  Put("a", {"t:2"});
  Put("a", {"t:1"}, 2);
  const auto refused = TryAppend("c", {"t:1"}, Tagged({"t:1"}), Position(2));
  EXPECT_EQ(refused.status().code(), StatusCode::kAborted);
  EXPECT_EQ(ConflictPosition(refused.status()), Position(4));
  EXPECT_EQ(HeadNow(), Position(5));
  EXPECT_EQ(store().FindCommit("c").status().code(), StatusCode::kNotFound);
}

TEST_P(ConditionTest, HoldsOrFailsAlsoAtTheEndOfALongWay) {
  std::atomic<int> left = 1'400;  // so that the way is longer than what is looked up ahead of the writer
  for (int i = left; i > 0; --i) {
    store().Append(MakeRequest(fmt::format("fill {}", i), {MakeEvent("a", {i % 2 == 0 ? "t:1" : "t:2"})}),
                   [&](const absl::StatusOr<Appended>& appended) {
                     EXPECT_TRUE(appended.ok()) << appended.status();
                     --left;
                   });
  }
  while (left > 0) std::this_thread::yield();
  EXPECT_TRUE(TryAppend("c", {}, Tagged({"t:1", "t:2"}), Position(0)).ok());
  const Appended both = Put("a", {"t:1", "t:2"});
  const auto refused = TryAppend("d", {}, Tagged({"t:1", "t:2"}), Position(0));
  EXPECT_EQ(refused.status().code(), StatusCode::kAborted);
  EXPECT_EQ(ConflictPosition(refused.status()), both.last);
}

TEST_P(ConditionTest, ByTypeAndByEverything) {
  Put("a", {"t:1"});
  Put("b", {"t:1"});
  EXPECT_EQ(ConflictPosition(TryAppend("c", {}, Typed({"b"}), Position(0)).status()), Position(2));
  EXPECT_TRUE(TryAppend("d", {}, Typed({"z"}), Position(0)).ok());
  EXPECT_EQ(ConflictPosition(TryAppend("e", {}, Query::All(), Position(2)).status()), Position(3));
  EXPECT_TRUE(TryAppend("f", {}, Query::All(), Position(3)).ok());
}

TEST_P(ConditionTest, ARefusedCommitIdMayBeUsedAgain) {
  Put("a", {"t:1"});
  ASSERT_EQ(TryAppend("c", {"t:1"}, Tagged({"t:1"}), Position(0)).status().code(), StatusCode::kAborted);
  const auto again = TryAppend("c", {"t:1"}, Tagged({"t:1"}), Position(1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->replayed);
}

TEST_P(ConditionTest, APositionPastTheHeadIsInvalid) {
  Put("a", {"t:1"});
  EXPECT_EQ(TryAppend("c", {"t:1"}, Tagged({"t:1"}), Position(2)).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_P(ConditionTest, ABrokenConditionIsInvalid) {
  EXPECT_EQ(TryAppend("c", {"t:1"}, Tagged({""}), Position(0)).status().code(), StatusCode::kInvalidArgument);
}

// Both writers are handed over before either is answered, so they often meet in one batch.
TEST_P(ConditionTest, OfRacingWritersOnOneConditionExactlyOneWins) {
  constexpr int kRounds = 30;
  constexpr int kWriters = 8;
  for (int round = 0; round < kRounds; ++round) {
    const std::string tag = fmt::format("session:{}", round);
    std::vector<absl::StatusOr<Appended>> answers(kWriters, absl::UnknownError("not answered"));
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        answers[w] = TryAppend(fmt::format("c-{}-{}", round, w), {tag, "t:common"}, Tagged({tag, "t:common"}),
                               Position(0));
      });
    }
    for (std::thread& writer : writers) writer.join();
    int won = 0;
    const auto stored = Positions(Tagged({tag}));
    ASSERT_EQ(stored.size(), 1u);
    for (const auto& answer : answers) {
      if (answer.ok()) {
        ++won;
        EXPECT_EQ(answer->first.value, stored[0]);
      } else {
        EXPECT_EQ(answer.status().code(), StatusCode::kAborted) << answer.status();
        EXPECT_EQ(ConflictPosition(answer.status()), Position(stored[0]));
      }
    }
    EXPECT_EQ(won, 1);
  }
}

// A place with room for ten, taken by read, count, and append on the condition that nothing came between.
TEST_P(ConditionTest, ACapacityKeptByConditionIsNeverExceeded) {
  constexpr size_t kCapacity = 10;
  const Query enrolments{{{{"enrolled"}, {"session:1"}}}};
  std::atomic<int> refused = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 6; ++w) {
    writers.emplace_back([&, w] {
      for (int attempt = 0; attempt < 200; ++attempt) {
        size_t taken = 0;
        const auto read = store().Read(enrolments, {}, [&](const EventView&) { return ++taken > 0; });
        ASSERT_TRUE(read.ok()) << read.status();
        if (taken >= kCapacity) return;
        const auto appended = store().AppendAndWait(WithCondition(
            MakeRequest(fmt::format("enrol-{}-{}", w, attempt), {MakeEvent("enrolled", {"session:1"})}),
            enrolments, *read));
        if (!appended.ok()) {
          ASSERT_EQ(appended.status().code(), StatusCode::kAborted) << appended.status();
          ++refused;
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Positions(enrolments).size(), kCapacity);
}

}  // namespace
}  // namespace qinglan::eventstore
