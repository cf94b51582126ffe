// ReadPages: each answer is its question's, and what one read does to the others and to the stream.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <stdexcept>
#include <thread>

#include "services/eventstore/wire/grpc.h"
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
  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(PagesTest, EveryQuestionOfManyMessagesGetsItsOwnAnswerOnce) {
  for (int i = 0; i < 50; ++i) log_.Put(static_cast<size_t>(i), {fmt::format("t:{}", i)});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  for (uint64_t message = 0; message < 20; ++message) {
    v1::ReadPagesRequest request;
    for (uint64_t i = 0; i < 50; ++i) AddQuestion(message * 50 + i, fmt::format("t:{}", i), request);
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->WritesDone());
  for (const auto& [id, answer] : AnswersOf(*stream, 1'000)) {
    ASSERT_EQ(answer.page().events_size(), static_cast<int>(id % 50));
    for (const v1::Event& event : answer.page().events()) {
      ASSERT_EQ(event.tags(0), fmt::format("t:{}", id % 50));
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(PagesTest, AReadThatTakesLongHoldsUpNoneOfTheOthers) {
  log_.HoldReadsOf("slow");
  log_.Put(1, {"quick"});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < 40; ++id) AddQuestion(id, id % 10 == 3 ? "slow" : "quick", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = AnswersOf(*stream, 36);
  for (const auto& [id, answer] : answers) EXPECT_NE(id % 10, 3u);
  log_.ReleaseReads();
  EXPECT_EQ(AnswersOf(*stream, 4).begin()->first, 3u);
}

TEST_F(PagesTest, AReadThatFailsFailsAlone) {
  log_.Put(5, {"before"});
  log_.Put(5, {"damaged"});
  log_.store().damaged_at = 6;
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  AddQuestion(1, "before", request);
  AddQuestion(2, "damaged", request);
  AddQuestion(3, "", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = AnswersOf(*stream, 3);
  EXPECT_EQ(answers[1].page().events_size(), 5);
  EXPECT_EQ(answers[2].failure().code(), static_cast<int>(StatusCode::DATA_LOSS));
  EXPECT_THAT(answers[2].failure().message(), testing::HasSubstr("position 6:"));
  EXPECT_EQ(answers[3].failure().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  v1::ReadPagesRequest again;
  AddQuestion(4, "before", again);
  ASSERT_TRUE(stream->Write(again));
  EXPECT_EQ(AnswersOf(*stream, 1)[4].page().events_size(), 5);
}

TEST_F(PagesTest, BytesThatAreNoReadAreTheirQuestionsFailure) {
  log_.Put(5, {"t:1"});
  v1::ReadPagesRequest request;
  AddQuestion(2, "t:1", request);
  std::string bytes;
  eventstore::remote::AddPageQuestion(1, "\x0a\x7f", absl::Seconds(5), bytes);
  const auto context = client_.Context();
  const auto stream = client_.StreamOfBytes("ReadPages", *context);
  ASSERT_TRUE(stream->Write(BufferOf(bytes + request.SerializeAsString())));
  PageAnswers answers;
  grpc::ByteBuffer message;
  while (answers.size() < 2 && stream->Read(&message)) {
    v1::ReadPagesResponse response;
    ASSERT_TRUE(response.ParseFromString(std::string(eventstore::remote::FlatBytes(message).view())));
    for (const v1::PageAnswer& answer : response.answers()) answers[answer.id()] = answer;
  }
  EXPECT_EQ(answers[1].failure().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(answers[2].page().events_size(), 5);
}

// Each event takes 10 ms to be shown, so a page would take five seconds.
TEST_F(PagesTest, ADeadlineEndsItsReadAloneAndCancellationAll) {
  log_.Put(eventstore::remote::kMessageEventsMax, {"t:1"});
  log_.Put(1, {"t:2"});
  log_.store().before_showing = [](Position) { absl::SleepFor(absl::Milliseconds(10)); };
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  AddQuestion(1, "t:1", request, absl::Milliseconds(200));
  AddQuestion(2, "t:2", request);
  ASSERT_TRUE(stream->Write(request));
  auto answers = AnswersOf(*stream, 2);
  EXPECT_EQ(answers[1].failure().code(), static_cast<int>(StatusCode::DEADLINE_EXCEEDED));
  EXPECT_EQ(answers[2].page().events_size(), 1);
  EXPECT_LT(log_.store().shown(), eventstore::remote::kMessageEventsMax / 2);

  v1::ReadPagesRequest long_ones;
  for (uint64_t id = 0; id < 100; ++id) AddQuestion(id, "t:1", long_ones);
  const size_t before = log_.store().shown();
  ASSERT_TRUE(stream->Write(long_ones));
  ASSERT_TRUE(Eventually([&] { return log_.store().shown() > before; }));
  context->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  const uint64_t ended = Standstill([&] { return log_.store().shown(); });
  EXPECT_LT(ended - before, 100 * eventstore::remote::kMessageEventsMax / 10) << "of all that was asked for";
  log_.Down();  // waits for every call
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
  const auto of_another = client_.Context();
  const auto another = client_.ReadPages(*of_another);
  v1::ReadPagesRequest one;
  AddQuestion(1, "quick", one);
  ASSERT_TRUE(another->Write(one));
  AnswersOf(*another, 1);
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < kSlow; ++id) AddQuestion(id, "slow", request);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(Eventually([&] { return log_.store().shown() > 16; }));
  ASSERT_TRUE(another->Write(one));
  EXPECT_EQ(AnswersOf(*another, 1)[1].page().events_size(), 1);
  EXPECT_LT(log_.store().shown(), kSlow / 2);
  AnswersOf(*stream, kSlow);
}

TEST_F(PagesTest, AnAnswerDoesNotWaitForReadsThatHoldEveryThread) {
  const size_t threads = eventstore::EventStoreServiceOptions().read_threads;
  log_.HoldReadsOf("slow");
  log_.Put(1, {"quick"});
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  for (uint64_t id = 0; id < 2 * threads; ++id)
    AddQuestion(id, id + 1 == threads ? "quick" : "slow", request);
  ASSERT_TRUE(stream->Write(request));
  EXPECT_EQ(AnswersOf(*stream, 1).begin()->first, threads - 1);
  log_.ReleaseReads();
  AnswersOf(*stream, 2 * threads - 1);
}

// The first waits for the second while a worker is on its way to that, which then has to wait itself.
TEST_F(PagesTest, AnAnswerDoesNotWaitForReadsThatHaveToWaitThemselves) {
  log_.HoldReadsOf("slow");
  log_.Put(1, {"quick"});
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    log_.HoldReads();
    const auto context = client_.Context();
    const auto stream = client_.ReadPages(*context);
    v1::ReadPagesRequest request;
    AddQuestion(0, "quick", request);
    for (const uint64_t id : {1u, 2u}) AddQuestion(id, "slow", request);
    ASSERT_TRUE(stream->Write(request));
    EXPECT_EQ(AnswersOf(*stream, 1).count(0), 1u);
    log_.ReleaseReads();
    AnswersOf(*stream, 2);
  }
}

TEST_F(PagesTest, AServerThatStopsAnswersWhatItHasAndSaysUnavailable) {
  log_.HoldReadsOf("slow");
  const auto context = client_.Context();
  const auto stream = client_.ReadPages(*context);
  v1::ReadPagesRequest request;
  AddQuestion(1, "slow", request);
  AddQuestion(2, "nobody", request);
  ASSERT_TRUE(stream->Write(request));
  AnswersOf(*stream, 1);
  std::thread drains([&] { log_.server().Drain(absl::Seconds(10)); });
  absl::SleepFor(absl::Milliseconds(50));
  log_.ReleaseReads();
  EXPECT_EQ(AnswersOf(*stream, 1)[1].page().events_size(), 1);
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
  const v1::ReadPagesRequest request = LongToTakeUp(1'000);
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
  constexpr size_t kQuestions = 1'000;
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

TEST_F(PagesTest, AReadThatGetsNoAnswerInTimeLeavesTheOthersTheirStream) {
  log_.HoldReadsOf("slow");
  log_.Put(1, {"quick"});
  std::atomic<int> tokens = 0;
  auto options = log_.server().ClientOptions();
  options.timeout = absl::Milliseconds(500);
  options.token = [&] {
    ++tokens;
    return OperatorToken();
  };
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto read = [&](const std::string& tag) {
    return client->Read(TaggedWith(tag), {}, [](const EventView&) { return true; }).status();
  };
  ASSERT_TRUE(read("quick").ok());
  const int before = tokens;
  EXPECT_EQ(read("slow").code(), absl::StatusCode::kUnavailable);  // and nothing was heard meanwhile
  EXPECT_TRUE(read("quick").ok());
  log_.ReleaseReads();
  EXPECT_TRUE(read("slow").ok());
  EXPECT_EQ(tokens, before) << "another stream was opened";
}

TEST_F(PagesTest, ATokenThatCannotBeHadLeavesNothingBehind) {
  std::atomic<bool> fails = false;
  auto options = log_.server().ClientOptions();
  options.token = [&] { return fails ? throw std::runtime_error("no token") : OperatorToken(); };
  auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto read = [&] { return client->Read(TaggedWith("t"), {}, [](const EventView&) { return true; }); };
  fails = true;
  EXPECT_THROW((void)read(), std::runtime_error);
  fails = false;
  EXPECT_TRUE(read().ok());
  client.reset();  // waits for every stream
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
