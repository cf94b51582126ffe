// ReadPages: each answer is its question's, and what one read does to the others and to the stream.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "services/eventstore/server/pages_call.h"
#include "services/eventstore/wire/messages.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::EventView;
using eventstore::Position;
using grpc::StatusCode;
namespace v1 = eventstore::v1;

class PagesTest : public testing::Test {
 protected:
  void TearDown() override { Release(); }

  static void Ask(uint64_t id, const std::string& tag, v1::ReadPagesRequest& request,
                  absl::Duration timeout = absl::ZeroDuration()) {
    v1::PageQuestion& question = *request.add_questions();
    question.set_id(id);
    question.mutable_read()->mutable_query()->add_items()->add_tags(tag);
    question.set_timeout_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(timeout)));
  }
  // The next `count` answers of the stream.
  static std::map<uint64_t, v1::PageAnswer> Answers(RawClient::Pages& stream, size_t count) {
    std::map<uint64_t, v1::PageAnswer> answers;
    v1::ReadPagesResponse message;
    while (answers.size() < count && stream.Read(&message)) {
      for (const v1::PageAnswer& answer : message.answers()) {
        EXPECT_TRUE(answers.emplace(answer.id(), answer).second) << answer.id();
      }
    }
    EXPECT_EQ(answers.size(), count);
    return answers;
  }
  // Whoever reads an event of "slow" waits until Release().
  void HoldSlowReads() {
    log_.Put(1, {"slow"});
    const uint64_t slow = log_.store().Head()->value;
    log_.store().before_showing = [this, slow](Position position) {
      while (position == Position(slow) && held_) absl::SleepFor(absl::Milliseconds(1));
    };
  }
  void Release() { held_ = false; }

  std::atomic<bool> held_ = true;
  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(PagesTest, EveryQuestionOfManyMessagesGetsItsOwnAnswerOnce) {
  for (int i = 0; i < 50; ++i) log_.Put(static_cast<size_t>(i), {fmt::format("t:{}", i)});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  for (uint64_t message = 0; message < 20; ++message) {
    v1::ReadPagesRequest request;
    for (uint64_t i = 0; i < 50; ++i) Ask(message * 50 + i, fmt::format("t:{}", i), request);
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->WritesDone());
  for (const auto& [id, answer] : Answers(*stream, 1'000)) {
    ASSERT_EQ(answer.page().events_size(), static_cast<int>(id % 50));
    for (const v1::Event& event : answer.page().events()) {
      ASSERT_EQ(event.tags(0), fmt::format("t:{}", id % 50));
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(PagesTest, AReadThatTakesLongHoldsUpNoneOfTheOthers) {
  HoldSlowReads();
  log_.Put(1, {"quick"});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < 40; ++id) Ask(id, id % 10 == 3 ? "slow" : "quick", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = Answers(*stream, 36);
  for (const auto& [id, answer] : answers) EXPECT_NE(id % 10, 3u);
  Release();
  EXPECT_EQ(Answers(*stream, 4).begin()->first, 3u);
}

TEST_F(PagesTest, AReadThatFailsFailsAlone) {
  log_.Put(5, {"before"});
  log_.Put(5, {"damaged"});
  log_.store().damaged_at = 6;
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  Ask(1, "before", request);
  Ask(2, "damaged", request);
  Ask(3, "", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = Answers(*stream, 3);
  EXPECT_EQ(answers[1].page().events_size(), 5);
  EXPECT_EQ(answers[2].failure().code(), static_cast<int>(StatusCode::DATA_LOSS));
  EXPECT_THAT(answers[2].failure().message(), testing::HasSubstr("position 6:"));
  EXPECT_EQ(answers[3].failure().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  v1::ReadPagesRequest again;
  Ask(4, "before", again);
  ASSERT_TRUE(stream->Write(again));
  EXPECT_EQ(Answers(*stream, 1)[4].page().events_size(), 5);
}

// Each event takes 10 ms to be shown, so a page would take five seconds.
TEST_F(PagesTest, ADeadlineEndsItsReadAloneAndCancellationAll) {
  log_.Put(eventstore::remote::kMessageEventsMax, {"t:1"});
  log_.Put(1, {"t:2"});
  log_.store().before_showing = [](Position) { absl::SleepFor(absl::Milliseconds(10)); };
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  Ask(1, "t:1", request, absl::Milliseconds(200));
  Ask(2, "t:2", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = Answers(*stream, 2);
  EXPECT_EQ(answers[1].failure().code(), static_cast<int>(StatusCode::DEADLINE_EXCEEDED));
  EXPECT_EQ(answers[2].page().events_size(), 1);
  EXPECT_LT(log_.store().shown(), 150u);

  v1::ReadPagesRequest long_ones;
  for (uint64_t id = 0; id < 100; ++id) Ask(id, "t:1", long_ones);
  const size_t before = log_.store().shown();
  ASSERT_TRUE(stream->Write(long_ones));
  while (log_.store().shown() == before) std::this_thread::yield();
  context->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  absl::SleepFor(absl::Milliseconds(300));
  const size_t ended = log_.store().shown();
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(log_.store().shown(), ended);
  log_.Down();  // waits for every call
}

TEST_F(PagesTest, AnswersThatNobodyTakesHoldUpTheQuestions) {
  constexpr uint64_t kMessages = 200;
  constexpr size_t kPayload = 200'000;
  log_.Put(1, {"large"}, kPayload);
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  for (uint64_t id = 0; id < kMessages; ++id) {
    v1::ReadPagesRequest request;
    Ask(id, "large", request);
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  size_t shown = 0;
  do {
    shown = log_.store().shown();
    absl::SleepFor(absl::Milliseconds(200));
  } while (shown != log_.store().shown());
  // What waits at the server, what its workers had begun, and what gRPC has of each end.
  EXPECT_GT(shown, 0u);
  EXPECT_LT(shown * kPayload, 3 * eventstore::remote::kStreamAnswerBytesMax);
  Answers(*stream, kMessages);
  EXPECT_TRUE(stream->Finish().ok());
}

// A hundred waiting reads of one stream and more, 20 ms each, on 16 reading threads.
TEST_F(PagesTest, SlowReadsOfOneStreamLeaveAnotherItsTurn) {
  constexpr size_t kSlow = 1'000;
  log_.Put(1, {"slow"});
  log_.Put(1, {"quick"});
  const uint64_t quick = log_.store().Head()->value;
  log_.store().before_showing = [quick](Position position) {
    if (position != Position(quick)) absl::SleepFor(absl::Milliseconds(20));
  };
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < kSlow; ++id) Ask(id, "slow", request);
  ASSERT_TRUE(stream->Write(request));
  while (log_.store().shown() < 16) std::this_thread::yield();
  const auto of_another = client_.Context();
  const auto another = client_.ReadPages(*of_another);
  v1::ReadPagesRequest one;
  Ask(1, "quick", one);
  ASSERT_TRUE(another->Write(one));
  EXPECT_EQ(Answers(*another, 1)[1].page().events_size(), 1);
  EXPECT_LT(log_.store().shown(), kSlow / 2);
  Answers(*stream, kSlow);
}

TEST_F(PagesTest, AnAnswerDoesNotWaitForReadsThatHoldEveryThread) {
  const size_t threads = eventstore::EventStoreServiceOptions().read_threads;
  HoldSlowReads();
  log_.Put(1, {"quick"});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < 2 * threads; ++id) Ask(id, id + 1 == threads ? "quick" : "slow", request);
  ASSERT_TRUE(stream->Write(request));
  EXPECT_EQ(Answers(*stream, 1).begin()->first, threads - 1);
  Release();
  Answers(*stream, 2 * threads - 1);
}

TEST_F(PagesTest, QuestionsThatWaitAreBoundedInBytes) {
  constexpr uint64_t kMessages = 500;
  constexpr int kTags = 900;
  HoldSlowReads();
  // With a writer and a reader at it gRPC's blocking client may sleep for seconds.
  const auto context = client_.Context(absl::Seconds(60));
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest holds;
  for (uint64_t id = 0; id < 16; ++id) Ask(kMessages + id, "slow", holds);
  ASSERT_TRUE(stream->Write(holds));
  v1::ReadPagesRequest large;
  Ask(0, "slow", large);
  v1::Query& query = *large.mutable_questions(0)->mutable_read()->mutable_query();
  for (int i = 0; i < kTags; ++i) {
    if (i % 50 == 0) query.add_items();
    query.mutable_items(query.items_size() - 1)->add_tags(fmt::format("{:0>200}", i));
  }
  std::atomic<uint64_t> sent = 0;
  std::thread sender([&] {
    for (; sent < kMessages; ++sent) {
      large.mutable_questions(0)->set_id(sent);
      if (!stream->Write(large)) return;
    }
    stream->WritesDone();
  });
  uint64_t before = 0;
  do {
    before = sent;
    absl::SleepFor(absl::Milliseconds(300));
  } while (sent != before);
  // What waits at the server, and what gRPC and the sockets have of each end: some 20 MB.
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, kMessages / 2);
  EXPECT_GT(kMessages * large.ByteSizeLong(), 20 * eventstore::remote::kStreamQuestionBytesMax);
  Release();
  for (const auto& [id, answer] : Answers(*stream, kMessages + 16)) {
    EXPECT_EQ(answer.page().events_size(), 1) << answer.failure().message();
  }
  sender.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(PagesTest, AMessageOfTooManyQuestionsIsRefusedAfterTheAnswersBefore) {
  log_.Put(1, {"t:1"});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < eventstore::remote::kStreamQuestionsMax; ++id) Ask(id, "t:1", request);
  ASSERT_TRUE(stream->Write(request));
  Ask(eventstore::remote::kStreamQuestionsMax, "t:1", request);
  stream->Write(request);
  Answers(*stream, eventstore::remote::kStreamQuestionsMax);
  v1::ReadPagesResponse more;
  EXPECT_FALSE(stream->Read(&more));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(PagesTest, AServerThatStopsAnswersWhatItHasAndSaysUnavailable) {
  HoldSlowReads();
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  Ask(1, "slow", request);
  Ask(2, "nobody", request);
  ASSERT_TRUE(stream->Write(request));
  Answers(*stream, 1);
  std::thread drains([&] { log_.server().Drain(absl::Seconds(10)); });
  absl::SleepFor(absl::Milliseconds(50));
  Release();
  EXPECT_EQ(Answers(*stream, 1)[1].page().events_size(), 1);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
  drains.join();
}

// Some milliseconds: the sender goes, or the server stops, before, meanwhile, or after.
v1::ReadPagesRequest LongToTakeUp(size_t questions) {
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < questions; ++id) {
    v1::PageQuestion& question = *request.add_questions();
    question.set_id(id);
    v1::QueryItem& item = *question.mutable_read()->mutable_query()->add_items();
    for (int i = 0; i < 1'000; ++i) item.add_tags("t");
  }
  return request;
}

TEST_F(PagesTest, ASenderThatGoesWhileItsMessageIsTakenUpLeavesNothingBehind) {
  const v1::ReadPagesRequest request = LongToTakeUp(500);
  for (int i = 0; i < 24; ++i) {
    const auto context = client_.Context();
    const auto stream = client_.ReadPages(*context);
    ASSERT_TRUE(stream->Write(request));
    absl::SleepFor(absl::Milliseconds(i));
    context->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  log_.Down();  // waits for every call
}

TEST_F(PagesTest, AServerThatStopsWhileAMessageIsTakenUpAnswersAllOfItOrNothing) {
  constexpr size_t kQuestions = 500;
  const v1::ReadPagesRequest request = LongToTakeUp(kQuestions);
  for (int i = 0; i < 12; ++i) {
    const RawClient client(log_.target());  // another need not wait before it connects again
    const auto context = client.Context();
    const auto stream = client.ReadPages(*context);
    ASSERT_TRUE(stream->Write(request));
    absl::SleepFor(absl::Milliseconds(i));
    std::thread drains([&] { log_.server().Drain(absl::Seconds(10)); });
    size_t answers = 0;
    v1::ReadPagesResponse message;
    while (stream->Read(&message)) answers += static_cast<size_t>(message.answers_size());
    EXPECT_THAT(answers, testing::AnyOf(0, kQuestions));
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
    drains.join();
    log_.Down();
    log_.Up();
  }
}

TEST_F(PagesTest, AReadThatGetsNoAnswerInTimeLeavesTheOthersTheirs) {
  HoldSlowReads();
  log_.Put(1, {"quick"});
  auto options = log_.server().ClientOptions();
  options.timeout = absl::Milliseconds(500);
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto nothing = [](const EventView&) { return true; };
  std::thread slow([&] {
    EXPECT_EQ(client->Read(TaggedWith("slow"), {}, nothing).status().code(), absl::StatusCode::kUnavailable);
  });
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client->Read(TaggedWith("quick"), {}, nothing).ok());
    absl::SleepFor(absl::Milliseconds(10));
  }
  slow.join();
  Release();
  EXPECT_TRUE(client->Read(TaggedWith("slow"), {}, nothing).ok());
}

TEST_F(PagesTest, WhoIsNotLetInIsToldSoAndComesInWithAnotherToken) {
  auto options = log_.server().ClientOptions();
  std::atomic<bool> valid = true;
  options.token = [&] { return valid ? OperatorToken() : TokenOf({"u", "", {}}); };
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto nothing = [](const EventView&) { return true; };
  valid = false;
  EXPECT_EQ(client->Read(TaggedWith("t"), {}, nothing).status().code(), absl::StatusCode::kPermissionDenied);
  valid = true;
  EXPECT_TRUE(client->Read(TaggedWith("t"), {}, nothing).ok());
}

}  // namespace
}  // namespace qinglan::tests
