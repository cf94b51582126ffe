// G1, G2, G3: what an acknowledgement means, and the order of the log.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <memory>
#include <utility>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AppendTest : public ContractTest {};
QL_ON_EVERY_IMPLEMENTATION(AppendTest);

TEST_P(AppendTest, EmptyLogHasHeadZeroAndNoEvents) {
  EXPECT_EQ(HeadNow(), Position(0));
  EXPECT_THAT(Positions(Query::All()), IsEmpty());
}

TEST_P(AppendTest, PositionsBeginAtOneAndHaveNoGaps) {
  EXPECT_EQ(Put("a", {"t:1"}, 2).first, Position(1));
  EXPECT_EQ(Put("b", {"t:2"}, 3).first, Position(3));
  EXPECT_EQ(HeadNow(), Position(5));
  EXPECT_THAT(Positions(Query::All()), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(AppendTest, AnEventIsReadAsItWasAppended) {
  AppendRequest request = MakeRequest(
      "commit-1", {MakeEvent("first", {}), MakeEvent("second", {"t:1", "s:2"}, std::string("\0\xff", 2))});
  request.actor = "who";
  request.correlation_id = "flow";
  request.causation_id = "cause";
  request.events[1].occurred_on = absl::CivilDay(1949, 10, 1);
  const auto appended = store().AppendAndWait(request);
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_FALSE(appended->replayed);

  const std::vector<Event> events = ReadAll(Query::All());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_THAT(events[0].tags, IsEmpty());
  const Event& second = events[1];
  EXPECT_EQ(second.position, Position(2));
  EXPECT_EQ(second.commit_id, "commit-1");
  EXPECT_EQ(second.index_in_commit, 1u);
  EXPECT_EQ(second.View().Id(), "commit-1#1");
  EXPECT_EQ(second.type, "second");
  EXPECT_THAT(second.tags, ElementsAre("t:1", "s:2"));
  EXPECT_EQ(second.occurred_on, absl::CivilDay(1949, 10, 1));
  EXPECT_EQ(second.recorded_at, appended->recorded_at);
  EXPECT_EQ(second.actor, "who");
  EXPECT_EQ(second.correlation_id, "flow");
  EXPECT_EQ(second.causation_id, "cause");
  EXPECT_EQ(second.payload, std::string("\0\xff", 2));
}

TEST_P(AppendTest, AppendHereAnswersOnceAsAppendDoes) {
  const auto answers = std::make_shared<std::atomic<int>>(0);
  const auto append_here = [&](AppendRequest request) {
    const auto first_answer = std::make_shared<std::promise<absl::StatusOr<Appended>>>();
    store().AppendHere(std::move(request), [answers, first_answer](absl::StatusOr<Appended> answer) {
      ++*answers;
      first_answer->set_value(std::move(answer));
    });
    return first_answer->get_future().get();
  };
  const AppendRequest request = MakeRequest("commit-1", {MakeEvent("a", {"t:1"}), MakeEvent("a", {"t:2"})});
  const auto first = append_here(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->last, Position(2));
  const auto again = append_here(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->last, Position(2));
  EXPECT_TRUE(again->replayed);
  const auto conflict =
      append_here(WithCondition(MakeRequest("commit-2", {MakeEvent("b", {})}), Tagged({"t:2"}), Position(0)));
  EXPECT_EQ(ConflictPosition(conflict.status()), Position(2));
  EXPECT_EQ(append_here(MakeRequest("commit-3", {})).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Positions(Query::All()), ElementsAre(1, 2));
  under_test().Reopen();  // by then every answer has been given
  EXPECT_EQ(*answers, 4);
}

TEST_P(AppendTest, WhatIsAppendedTogetherIsStoredInItsOrderAndAnsweredEachForItself) {
  const auto unless = [](const std::string& tag, AppendRequest request) {
    request.condition = {{{{{}, {tag}}}}, Position(0)};
    return request;
  };
  AppendRequest without_events = MakeRequest("no events", {});
  const std::vector<AppendRequest> requests = {
      MakeRequest("a", {MakeEvent("type", {"t:1"}), MakeEvent("type", {"t:1"})}),
      std::move(without_events),
      unless("t:1", MakeRequest("b", {MakeEvent("type", {})})),  // of which the first speaks
      MakeRequest("a", {MakeEvent("type", {"t:1"}), MakeEvent("type", {"t:1"})}),
      unless("t:2", MakeRequest("c", {MakeEvent("type", {"t:2"})})),
  };
  std::vector<std::promise<absl::StatusOr<Appended>>> answers(requests.size());
  std::vector<EventStore::PendingAppend> together;
  for (size_t i = 0; i < requests.size(); ++i) {
    together.push_back({requests[i], [&answers, i](absl::StatusOr<Appended> appended) {
                          answers[i].set_value(std::move(appended));
                        }});
  }
  store().AppendAll(std::move(together));
  std::vector<absl::StatusOr<Appended>> got;
  for (auto& answer : answers) got.push_back(answer.get_future().get());
  ASSERT_TRUE(got[0].ok()) << got[0].status();
  EXPECT_EQ(got[0]->first, Position(1));
  EXPECT_EQ(got[1].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(got[2].status().code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(got[3].ok()) << got[3].status();
  EXPECT_TRUE(got[3]->replayed);
  EXPECT_EQ(got[3]->last, Position(2));
  ASSERT_TRUE(got[4].ok()) << got[4].status();
  EXPECT_EQ(got[4]->last, Position(3));
  EXPECT_EQ(HeadNow(), Position(3));
}

TEST_P(AppendTest, AcknowledgedEventsAreThereAfterReopening) {
  Put("a", {"t:1"}, 3);
  Put("b", {"t:2"}, 1);
  under_test().Reopen();
  EXPECT_EQ(HeadNow(), Position(4));
  EXPECT_THAT(Positions(Tagged({"t:2"})), ElementsAre(4));
  const auto next = store().AppendAndWait(MakeRequest("after", {MakeEvent("c", {})}));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->first, Position(5));
}

TEST_P(AppendTest, ARefusedCommitStoresNoneOfItsEvents) {
  AppendRequest request = MakeRequest("half", {MakeEvent("good", {"t:1"}), MakeEvent("", {"t:1"})});
  EXPECT_EQ(store().AppendAndWait(request).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HeadNow(), Position(0));
  EXPECT_THAT(Positions(Tagged({"t:1"})), IsEmpty());
}

TEST_P(AppendTest, AWriterReadsItsOwnCommitAtOnce) {
  for (int i = 0; i < 50; ++i) {
    const Appended appended = Put("a", {"t:" + std::to_string(i)});
    EXPECT_GE(HeadNow(), appended.last);
    EXPECT_THAT(Positions(Tagged({"t:" + std::to_string(i)})), ElementsAre(appended.first.value));
  }
}

}  // namespace
}  // namespace qinglan::eventstore
