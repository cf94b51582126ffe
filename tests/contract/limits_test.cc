// G8: every limit has a name, an answer, and is reached before it is crossed.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using absl::StatusCode;

class LimitsTest : public ContractTest {
 protected:
  // The request is stored when `change` stays within the limit, and INVALID_ARGUMENT naming `field` when it
  // does not.
  void ExpectLimit(std::string_view field, std::function<void(AppendRequest&, size_t)> change, size_t max) {
    for (const size_t size : {max, max + 1}) {
      SCOPED_TRACE(fmt::format("{} of {}", field, size));
      AppendRequest request = MakeRequest(fmt::format("limit-{}", ++requests_), {MakeEvent("a", {"t:1"})});
      change(request, size);
      const Position before = HeadNow();
      const auto answer = store().AppendAndWait(request);
      if (size <= max) {
        EXPECT_TRUE(answer.ok()) << answer.status();
      } else {
        EXPECT_EQ(answer.status().code(), StatusCode::kInvalidArgument);
        EXPECT_THAT(std::string(answer.status().message()), testing::HasSubstr(std::string(field)));
        EXPECT_EQ(HeadNow(), before);
      }
    }
  }

 private:
  int requests_ = 0;
};
QL_ON_EVERY_IMPLEMENTATION(LimitsTest);

TEST_P(LimitsTest, OfAnEvent) {
  ExpectLimit("type", [](auto& r, size_t n) { r.events[0].type = std::string(n, 'x'); }, kTypeBytesMax);
  ExpectLimit("tags[0]", [](auto& r, size_t n) { r.events[0].tags[0] = std::string(n, 'x'); }, kTagBytesMax);
  ExpectLimit(
      "payload", [](auto& r, size_t n) { r.events[0].payload = std::string(n, 'x'); }, kPayloadBytesMax);
  ExpectLimit(
      "tags",
      [](auto& r, size_t n) {
        r.events[0].tags.clear();
        for (size_t i = 0; i < n; ++i) r.events[0].tags.push_back(fmt::format("t:{}", i));
      },
      kTagsPerEventMax);
}

TEST_P(LimitsTest, OfACommit) {
  ExpectLimit("commit_id", [](auto& r, size_t n) { r.commit_id = std::string(n, 'x'); }, kCommitIdBytesMax);
  ExpectLimit(
      "fingerprint", [](auto& r, size_t n) { r.fingerprint = std::string(n, 'x'); }, kFingerprintBytesMax);
  ExpectLimit("actor", [](auto& r, size_t n) { r.actor = std::string(n, 'x'); }, kActorBytesMax);
  ExpectLimit(
      "events", [](auto& r, size_t n) { r.events.assign(n, MakeEvent("a", {"t:1"})); }, kEventsPerCommitMax);
}

TEST_P(LimitsTest, OfACommitsBytes) {
  AppendRequest request = MakeRequest("big", {});
  while (request.events.size() * kPayloadBytesMax <= kCommitBytesMax) {
    request.events.push_back(MakeEvent("a", {}, std::string(kPayloadBytesMax, 'x')));
  }
  EXPECT_EQ(store().AppendAndWait(request).status().code(), StatusCode::kInvalidArgument);
  request.events.pop_back();
  request.events.pop_back();
  const auto stored = store().AppendAndWait(request);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(ReadAll(Query::All()).size(), request.events.size());
}

TEST_P(LimitsTest, WhatMustNotBeEmptyIsInvalid) {
  const auto refuses = [&](std::function<void(AppendRequest&)> change) {
    AppendRequest request = MakeRequest("c", {MakeEvent("a", {"t:1"})});
    change(request);
    return store().AppendAndWait(request).status().code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.commit_id.clear(); }));
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.events.clear(); }));
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.events[0].type.clear(); }));
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.events[0].tags = {""}; }));
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.events[0].tags = {"t:1", "t:1"}; }));
  EXPECT_TRUE(refuses([](AppendRequest& r) { r.events[0].occurred_on = absl::CivilDay(1899, 12, 31); }));
}

// The first answer is held up inside its callback, so what comes after has to wait.
TEST_P(LimitsTest, AFullQueueIsResourceExhaustedAndEmptiesAgain) {
  Start({.queue_events_max = 5});
  std::promise<void> let_go;
  std::shared_future<void> go = let_go.get_future().share();
  std::promise<void> held_up;
  store().Append(MakeRequest("first", {MakeEvent("a", {})}), [&](const auto&) {
    held_up.set_value();
    go.wait();
  });
  held_up.get_future().wait();
  std::vector<std::promise<absl::StatusOr<Appended>>> answers(8);
  for (size_t i = 0; i < answers.size(); ++i) {
    store().Append(
        MakeRequest(fmt::format("c-{}", i), {MakeEvent("a", {})}),
        [&answers, i](absl::StatusOr<Appended> answer) { answers[i].set_value(std::move(answer)); });
  }
  EXPECT_EQ(answers[5].get_future().get().status().code(), StatusCode::kResourceExhausted);
  let_go.set_value();
  for (size_t i = 0; i < 5; ++i) {
    const auto answer = answers[i].get_future().get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->first, Position(i + 2));
  }
  EXPECT_TRUE(store().AppendAndWait(MakeRequest("after", {MakeEvent("a", {})})).ok());
}

}  // namespace
}  // namespace qinglan::eventstore
