// AppendStream: the order of answers, what one refusal does to the others, and the limit of what is in
// flight.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "services/eventstore/server/append_call.h"
#include "services/eventstore/wire/messages.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::AppendRequest;
using eventstore::Position;
using eventstore::v1::AppendOutcome;
using eventstore::v1::AppendStreamRequest;
using eventstore::v1::AppendStreamResponse;

class AppendStreamTest : public testing::Test {
 protected:
  static void Add(const AppendRequest& append, AppendStreamRequest& message) {
    std::string bytes;
    eventstore::remote::EncodeAppend(append, bytes);
    ASSERT_TRUE(message.add_appends()->ParseFromString(bytes));
  }
  static AppendStreamRequest MessageOf(const std::vector<AppendRequest>& appends) {
    AppendStreamRequest message;
    for (const AppendRequest& append : appends) Add(append, message);
    return message;
  }
  // The next `count` outcomes of the stream.
  static std::vector<AppendOutcome> Outcomes(RawClient::Bidi& stream, size_t count) {
    std::vector<AppendOutcome> outcomes;
    AppendStreamResponse message;
    while (outcomes.size() < count && stream.Read(&message)) {
      outcomes.insert(outcomes.end(), message.outcomes().begin(), message.outcomes().end());
    }
    EXPECT_EQ(outcomes.size(), count);
    outcomes.resize(count);
    return outcomes;
  }

  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(AppendStreamTest, AnswersComeInTheOrderSentThoughSomeAreKnownAtOnce) {
  const auto context = client_.Context();
  const auto stream = client_.AppendStream(*context);
  std::vector<AppendRequest> appends;
  for (int i = 0; i < 200; ++i) {
    appends.push_back(OneEvent(fmt::format("c-{}", i), {"t:1"}));
    if (i % 3 == 1) appends.back().events.clear();  // refused before it reaches the log
    if (i % 5 == 2) appends.back().condition = {TaggedWith("t:1"), Position(0)};
  }
  for (size_t i = 0; i < appends.size(); i += 10) {
    ASSERT_TRUE(stream->Write(MessageOf(
        {appends.begin() + static_cast<ptrdiff_t>(i), appends.begin() + static_cast<ptrdiff_t>(i) + 10})));
  }
  const auto outcomes = Outcomes(*stream, appends.size());
  uint64_t last = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    SCOPED_TRACE(i);
    if (i % 3 == 1) {
      EXPECT_EQ(outcomes[i].failure().code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
      EXPECT_THAT(outcomes[i].failure().message(), testing::HasSubstr("events"));
    } else if (i % 5 == 2) {
      EXPECT_EQ(outcomes[i].failure().code(), static_cast<int>(absl::StatusCode::kAborted));
      EXPECT_EQ(outcomes[i].failure().conflict_position(), 1u);
    } else {
      EXPECT_EQ(outcomes[i].appended().first(), ++last);
      EXPECT_FALSE(outcomes[i].appended().replayed());
    }
  }
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(AppendStreamTest, TheOrderIsThatSentThoughSomeConditionsLookFarBack) {
  for (int i = 0; i < 12; ++i) {
    AppendRequest fill = OneEvent(fmt::format("fill-{}", i), {"t:0"});
    while (fill.events.size() < eventstore::kEventsPerCommitMax) fill.events.push_back(fill.events.front());
    ASSERT_TRUE(log_.store().AppendAndWait(std::move(fill)).ok());
  }
  const auto context = client_.Context();
  const auto stream = client_.AppendStream(*context);
  constexpr int kMessages = 50;
  for (int i = 0; i < kMessages; ++i) {
    AppendRequest far = OneEvent(fmt::format("far-{}", i), {fmt::format("far:{}", i)});
    far.condition = {TaggedWith(fmt::format("near:{}", i)), Position(0)};
    AppendRequest near = OneEvent(fmt::format("near-{}", i), {fmt::format("near:{}", i)});
    AppendRequest late = OneEvent(fmt::format("late-{}", i));
    late.condition = far.condition;
    ASSERT_TRUE(stream->Write(MessageOf({far})));
    ASSERT_TRUE(stream->Write(MessageOf({near, late})));
  }
  ASSERT_TRUE(stream->WritesDone());
  const auto outcomes = Outcomes(*stream, 3 * kMessages);
  uint64_t last = 12 * eventstore::kEventsPerCommitMax;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    SCOPED_TRACE(i);
    if (i % 3 == 2) {
      EXPECT_EQ(outcomes[i].failure().code(), static_cast<int>(absl::StatusCode::kAborted));
    } else {
      EXPECT_EQ(outcomes[i].appended().first(), ++last);
    }
  }
  EXPECT_TRUE(stream->Finish().ok());

  AppendRequest call = OneEvent("call");
  call.condition = {TaggedWith("near:0"), Position(0)};
  std::string bytes;
  eventstore::remote::EncodeAppend(call, bytes);
  eventstore::v1::AppendRequest request;
  ASSERT_TRUE(request.ParseFromString(bytes));
  eventstore::v1::AppendResponse response;
  EXPECT_EQ(client_.Unary("Append", *client_.Context(), request, response).error_code(),
            grpc::StatusCode::ABORTED);
}

TEST_F(AppendStreamTest, TheSenderMayEndItsHalfAndStillGetsEveryAnswer) {
  const auto context = client_.Context();
  const auto stream = client_.AppendStream(*context);
  log_.store().Hold();
  ASSERT_TRUE(stream->Write(MessageOf({OneEvent("a"), OneEvent("b")})));
  ASSERT_TRUE(stream->WritesDone());
  while (log_.store().held() < 2) std::this_thread::yield();
  log_.store().Release();
  const auto outcomes = Outcomes(*stream, 2);
  EXPECT_EQ(outcomes[1].appended().last(), 2u);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(AppendStreamTest, BytesThatAreNoMessageEndItAfterTheAnswersBefore) {
  const auto context = client_.Context();
  const auto stream = client_.StreamOfBytes("AppendStream", *context);
  ASSERT_TRUE(stream->Write(BufferOf(MessageOf({OneEvent("a")}).SerializeAsString())));
  ASSERT_TRUE(stream->Write(BufferOf("\x0a\x7fno message")));
  grpc::ByteBuffer bytes;
  ASSERT_TRUE(stream->Read(&bytes));
  EXPECT_FALSE(stream->Read(&bytes));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_TRUE(log_.store().FindCommit("a").ok());
}

TEST_F(AppendStreamTest, AtTheLimitTheServerReadsNoMoreUntilItHasAnswered) {
  constexpr size_t kSent = 3 * eventstore::remote::kStreamAppendsMax;
  const auto context = client_.Context();
  const auto stream = client_.AppendStream(*context);
  log_.store().Hold();
  std::thread sender([&] {
    for (size_t i = 0; i < kSent; ++i) {
      if (!stream->Write(MessageOf({OneEvent(fmt::format("c-{}", i))}))) return;
    }
    stream->WritesDone();
  });
  while (log_.store().held() < eventstore::remote::kStreamAppendsMax) std::this_thread::yield();
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(log_.store().held(), eventstore::remote::kStreamAppendsMax);
  log_.store().Release();
  const auto outcomes = Outcomes(*stream, kSent);
  sender.join();
  for (size_t i = 0; i < kSent; ++i) ASSERT_EQ(outcomes[i].appended().first(), i + 1);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(AppendStreamTest, ASenderThatGoesLeavesNothingBehind) {
  log_.store().Hold();
  for (int i = 0; i < 20; ++i) {
    const auto context = client_.Context();
    const auto stream = client_.AppendStream(*context);
    ASSERT_TRUE(stream->Write(MessageOf({OneEvent(fmt::format("c-{}", i))})));
    while (log_.store().held() < static_cast<size_t>(i) + 1) std::this_thread::yield();
    context->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  log_.store().Release();  // the answers find nobody
  while (!log_.store().FindCommit("c-19").ok()) std::this_thread::yield();
  log_.Down();  // waits for every call
}

// So many tags take some milliseconds to be taken up: the sender goes before, meanwhile, or after. On a
// busy machine it all takes longer.
TEST_F(AppendStreamTest, ASenderThatGoesWhileItsMessageIsTakenUpLeavesNothingBehind) {
  AppendRequest large = OneEvent("large");
  large.events[0].tags.assign(500'000, "t");
  std::string append;
  std::string message;
  eventstore::remote::EncodeAppend(large, append);
  eventstore::remote::AddStreamAppend(append, message);
  log_.store().Hold();
  for (int i = 0; i < 12 || (log_.store().held() == 0 && i < 400); ++i) {
    const auto context = client_.Context();
    const auto stream = client_.StreamOfBytes("AppendStream", *context);
    ASSERT_TRUE(stream->Write(BufferOf(message)));
    absl::SleepFor(absl::Milliseconds(i));
    context->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_GT(log_.store().held(), 0u);
  log_.store().Release();  // the answers find nobody
  log_.Down();             // waits for every call
}

TEST_F(AppendStreamTest, AServerThatStopsAnswersWhatItHasAndSaysUnavailable) {
  const auto context = client_.Context();
  const auto stream = client_.AppendStream(*context);
  log_.store().Hold();
  ASSERT_TRUE(stream->Write(MessageOf({OneEvent("a")})));
  while (log_.store().held() < 1) std::this_thread::yield();
  std::thread drains([&] { log_.server().Drain(absl::Seconds(10)); });
  absl::SleepFor(absl::Milliseconds(50));
  log_.store().Release();
  EXPECT_EQ(Outcomes(*stream, 1)[0].appended().first(), 1u);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drains.join();
}

}  // namespace
}  // namespace qinglan::tests
