// G5: the same commit again gets the first answer, for ever.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using absl::StatusCode;
using testing::ElementsAre;

class IdempotenceTest : public ContractTest {
 protected:
  AppendRequest Request() {
    return MakeRequest("commit", {MakeEvent("a", {"t:1"}), MakeEvent("b", {"t:1"})});
  }
  void ExpectReplay(const absl::StatusOr<Appended>& again, const Appended& first) {
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(again->first, first.first);
    EXPECT_EQ(again->last, first.last);
    EXPECT_EQ(again->recorded_at, first.recorded_at);
  }
};
QL_ON_EVERY_IMPLEMENTATION(IdempotenceTest);

TEST_P(IdempotenceTest, ARetryGetsTheFirstAnswerAndStoresNothing) {
  Put("z", {});
  const auto first = store().AppendAndWait(Request());
  ASSERT_TRUE(first.ok()) << first.status();
  Put("z", {});
  ExpectReplay(store().AppendAndWait(Request()), *first);
  EXPECT_THAT(Positions(Tagged({"t:1"})), ElementsAre(2, 3));
  EXPECT_EQ(HeadNow(), Position(4));
}

TEST_P(IdempotenceTest, ARetryAfterReopeningGetsTheFirstAnswer) {
  const auto first = store().AppendAndWait(Request());
  ASSERT_TRUE(first.ok()) << first.status();
  for (int i = 0; i < 100; ++i) Put("z", {"t:" + std::to_string(i)});
  under_test().Reopen();
  ExpectReplay(store().AppendAndWait(Request()), *first);
}

TEST_P(IdempotenceTest, ARetryGetsTheFirstAnswerEvenWhenItsConditionFailsByNow) {
  const AppendRequest request = WithCondition(Request(), Tagged({"t:1"}), Position(0));
  const auto first = store().AppendAndWait(request);
  ASSERT_TRUE(first.ok()) << first.status();
  ExpectReplay(store().AppendAndWait(request), *first);
}

TEST_P(IdempotenceTest, TheSameIdWithAnotherFingerprintIsRefused) {
  ASSERT_TRUE(store().AppendAndWait(Request()).ok());
  AppendRequest other = Request();
  other.fingerprint = "another";
  EXPECT_EQ(store().AppendAndWait(other).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(HeadNow(), Position(2));
}

TEST_P(IdempotenceTest, RetriesThatOvertakeEachOtherAreStoredOnce) {
  for (int round = 0; round < 20; ++round) {
    const AppendRequest request =
        MakeRequest(fmt::format("c-{}", round), {MakeEvent("a", {fmt::format("t:{}", round)})});
    std::vector<absl::StatusOr<Appended>> answers(6, absl::UnknownError("not answered"));
    std::vector<std::thread> writers;
    for (auto& answer : answers) writers.emplace_back([&] { answer = store().AppendAndWait(request); });
    for (std::thread& writer : writers) writer.join();
    int first = 0;
    for (const auto& answer : answers) {
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_EQ(answer->first, answers[0]->first);
      if (!answer->replayed) ++first;
    }
    EXPECT_EQ(first, 1);
    EXPECT_EQ(Positions(Tagged({fmt::format("t:{}", round)})).size(), 1u);
  }
}

TEST_P(IdempotenceTest, ACommitIsFoundByItsId) {
  Put("z", {});
  const auto first = store().AppendAndWait(Request());
  ASSERT_TRUE(first.ok()) << first.status();
  const auto found = store().FindCommit("commit");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->appended.first, first->first);
  EXPECT_EQ(found->appended.last, first->last);
  EXPECT_EQ(found->appended.recorded_at, first->recorded_at);
  EXPECT_EQ(found->fingerprint, Request().fingerprint);
  EXPECT_EQ(store().FindCommit("commi").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().FindCommit("t:1").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace qinglan::eventstore
