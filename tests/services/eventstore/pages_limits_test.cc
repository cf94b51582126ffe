// ReadPages: what may wait, of one stream and of all, and what becomes of more.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <thread>
#include <vector>

#include "services/eventstore/server/pages_call.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::EventStoreServiceOptions;
using eventstore::remote::kStreamAnswerBytesMax;
using eventstore::remote::kStreamQuestionBytesMax;
using eventstore::remote::kStreamQuestionsMax;
using grpc::StatusCode;
namespace v1 = eventstore::v1;

constexpr size_t kThreads = 2;

v1::ReadPagesRequest Questions(uint64_t first, uint64_t count, const std::string& tag) {
  v1::ReadPagesRequest request;
  for (uint64_t id = first; id < first + count; ++id) AddQuestion(id, tag, request);
  return request;
}

// Of some bytes, as a query with many tags.
v1::ReadPagesRequest LargeQuestion(uint64_t id, int tags, size_t tag_bytes = 200) {
  v1::ReadPagesRequest request = Questions(id, 1, "quick");
  v1::Query& query = *request.mutable_questions(0)->mutable_read()->mutable_query();
  for (int i = 0; i < tags; ++i) {
    if (i % 50 == 0) query.add_items();
    query.mutable_items(query.items_size() - 1)->add_tags(fmt::format("{:0>{}}", i, tag_bytes));
  }
  return request;
}

size_t CountOf(StatusCode code, const PageAnswers& answers) {
  size_t count = 0;
  for (const auto& [id, answer] : answers) count += answer.failure().code() == code ? 1 : 0;
  return count;
}

// A log, and a stream whose questions hold every thread that reads it.
class PagesLimitsTest : public testing::Test {
 protected:
  void Serve(EventStoreServiceOptions options) {
    options.read_threads = kThreads;
    log_ = std::make_unique<LogUnderTest>(options);
    client_ = std::make_unique<RawClient>(log_->target());
    log_->Put(1, {"quick"});
  }
  // With room for so many questions beside those that hold the threads.
  void ServeAndHold(size_t reads_waiting_max) {
    EventStoreServiceOptions options;
    options.reads_waiting_max = reads_waiting_max;
    Serve(options);
    HoldThreads();
  }
  void HoldThreads() {
    log_->HoldReadsOf("slow");
    if (holding_ == nullptr) holding_ = Open();
    ASSERT_TRUE(holding_->Write(Questions(0, kThreads, "slow")));
    ASSERT_TRUE(Eventually([&] { return log_->reads_held() == kThreads; }));
  }
  void ReleaseThreads() {
    log_->ReleaseReads();
    AnswersOf(*holding_, kThreads);
  }
  std::unique_ptr<RawClient::Pages> Open() {
    contexts_.push_back(client_->Context(absl::Seconds(60)));
    return client_->ReadPages(*contexts_.back());
  }

  std::unique_ptr<LogUnderTest> log_;
  std::unique_ptr<RawClient> client_;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts_;
  std::unique_ptr<RawClient::Pages> holding_;
};

TEST_F(PagesLimitsTest, QuestionsOverWhatMayWaitAreRefusedAtOnceAndOthersAnswered) {
  constexpr size_t kWaiting = 10;
  ServeAndHold(kWaiting);
  const auto one = Open();
  const auto another = Open();
  ASSERT_TRUE(one->Write(Questions(0, kWaiting + 2, "quick")));
  EXPECT_EQ(CountOf(StatusCode::RESOURCE_EXHAUSTED, AnswersOf(*one, 2)), 2u);
  ASSERT_TRUE(another->Write(Questions(0, 1, "quick")));
  EXPECT_EQ(CountOf(StatusCode::RESOURCE_EXHAUSTED, AnswersOf(*another, 1)), 1u) << "of all streams";
  ReleaseThreads();
  EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*one, kWaiting)), kWaiting);
  ASSERT_TRUE(another->Write(Questions(1, kWaiting, "quick")));
  EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*another, kWaiting)), kWaiting) << "the places are free";
}

TEST_F(PagesLimitsTest, AStreamThatEndsLeavesThePlacesOfItsQuestions) {
  constexpr size_t kWaiting = 10;
  ServeAndHold(kWaiting);
  const auto one = Open();
  ASSERT_TRUE(one->Write(Questions(0, kWaiting + 1, "quick")));
  AnswersOf(*one, 1);
  contexts_.back()->TryCancel();
  EXPECT_EQ(one->Finish().error_code(), StatusCode::CANCELLED);
  // The server has to learn of it while they wait. One that is let in has no answer then, so a question that
  // is refused in any case goes with it.
  const auto another = Open();
  v1::ReadPagesRequest probe = LargeQuestion(1, 1'500);
  ASSERT_GT(probe.ByteSizeLong(), eventstore::remote::kQuestionBytesMax);
  AddQuestion(0, "quick", probe);
  ASSERT_TRUE(Eventually([&] {
    EXPECT_TRUE(another->Write(probe));
    v1::ReadPagesResponse at_once;
    EXPECT_TRUE(another->Read(&at_once));
    return at_once.answers_size() == 1;
  }));
  ReleaseThreads();
  EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*another, 1)), 1u);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(another->Write(Questions(0, kWaiting, "quick")));
    return CountOf(StatusCode::OK, AnswersOf(*another, kWaiting)) == kWaiting;
  }));
}

TEST_F(PagesLimitsTest, QuestionsOverTheBytesThatMayWaitAreRefusedAtOnce) {
  constexpr size_t kQuestions = 10;
  constexpr size_t kFit = 4;
  const size_t bytes = LargeQuestion(0, 100).questions(0).read().ByteSizeLong();
  EventStoreServiceOptions options;
  options.read_bytes_waiting_max = kFit * bytes + bytes / 2;
  Serve(options);
  HoldThreads();
  const auto stream = Open();
  for (uint64_t id = 0; id < kQuestions; ++id) ASSERT_TRUE(stream->Write(LargeQuestion(id, 100)));
  const auto refused = AnswersOf(*stream, kQuestions - kFit);
  EXPECT_EQ(CountOf(StatusCode::RESOURCE_EXHAUSTED, refused), kQuestions - kFit);
  ReleaseThreads();
  EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*stream, kFit)), kFit);
  for (uint64_t id = 0; id < kQuestions; ++id) {
    ASSERT_TRUE(stream->Write(LargeQuestion(id, 100)));
    EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*stream, 1)), 1u) << "the bytes are free";
  }
}

TEST_F(PagesLimitsTest, AQueueThatCallsHaveFilledRefusesNoQuestion) {
  constexpr size_t kWaiting = 4;
  ServeAndHold(kWaiting);
  v1::ReadRequest read;
  read.mutable_query()->add_items()->add_tags("quick");
  std::vector<std::unique_ptr<grpc::ClientReader<v1::ReadResponse>>> reads;
  for (size_t i = 0; i < kWaiting; ++i) {
    contexts_.push_back(client_->Context());
    reads.push_back(client_->Stream<v1::ReadResponse>("Read", *contexts_.back(), read));
  }
  EXPECT_TRUE(Eventually([&] {
    const auto context = client_->Context(absl::Milliseconds(200));
    v1::FindCommitResponse response;
    return client_->Unary("FindCommit", *context, v1::FindCommitRequest(), response).error_code() ==
           StatusCode::RESOURCE_EXHAUSTED;
  }));
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(Questions(0, kWaiting + 1, "quick")));
  AnswersOf(*stream, 1);  // the last is one too many; so the others were taken up
  ReleaseThreads();
  EXPECT_EQ(CountOf(StatusCode::OK, AnswersOf(*stream, kWaiting)), kWaiting);
}

TEST_F(PagesLimitsTest, AReadLargerThanAnyQueryIsRefusedBeforeItWaits) {
  Serve({});
  HoldThreads();
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(LargeQuestion(1, 999)));  // the largest that may be
  ASSERT_TRUE(stream->Write(LargeQuestion(2, 1'000, 300)));
  auto answers = AnswersOf(*stream, 1);
  EXPECT_EQ(answers[2].failure().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  ReleaseThreads();
  EXPECT_EQ(AnswersOf(*stream, 1)[1].page().events_size(), 1);
}

TEST_F(PagesLimitsTest, AStreamTooManyIsRefusedUntilOneEnds) {
  EventStoreServiceOptions options;
  options.page_streams_max = 2;
  Serve(options);
  const auto works = [&](RawClient::Pages& stream) {
    stream.Write(Questions(0, 1, "quick"));
    v1::ReadPagesResponse response;
    return stream.Read(&response);
  };
  const auto one = Open();
  const auto two = Open();
  ASSERT_TRUE(works(*one) && works(*two));
  const auto three = Open();
  EXPECT_FALSE(works(*three));
  EXPECT_EQ(three->Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
  one->WritesDone();
  EXPECT_TRUE(one->Finish().ok());
  EXPECT_TRUE(Eventually([&] {
    const auto again = Open();
    if (works(*again)) return true;
    again->Finish();
    return false;
  }));
  EXPECT_TRUE(works(*two));
}

TEST_F(PagesLimitsTest, AnswersThatNobodyTakesHoldUpTheQuestions) {
  Serve({});
  constexpr uint64_t kMessages = 200;
  constexpr size_t kPayload = 200'000;
  log_->Put(1, {"large"}, kPayload);
  const auto stream = Open();
  for (uint64_t id = 0; id < kMessages; ++id) {
    v1::ReadPagesRequest request;
    AddQuestion(id, "large", request);
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  const size_t shown = Standstill([&] { return log_->store().shown(); });
  // What waits at the server, what its workers had begun, and what gRPC has of each end.
  EXPECT_LT(shown * kPayload, 3 * kStreamAnswerBytesMax);
  AnswersOf(*stream, kMessages);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(PagesLimitsTest, QuestionsOfAStreamThatWaitAreBoundedInBytes) {
  constexpr uint64_t kMessages = 500;
  Serve({});
  HoldThreads();
  // With a writer and a reader at it gRPC's blocking client may sleep for seconds.
  const auto stream = Open();
  v1::ReadPagesRequest large = LargeQuestion(0, 900);
  EXPECT_GT(kMessages * large.ByteSizeLong(), 20 * kStreamQuestionBytesMax);
  std::atomic<uint64_t> sent = 0;
  std::thread sender([&] {
    for (; sent < kMessages; ++sent) {
      large.mutable_questions(0)->set_id(sent);
      if (!stream->Write(large)) return;
    }
    stream->WritesDone();
  });
  // What waits at the server, and what gRPC and the sockets have of each end: some 20 MB.
  EXPECT_LT(Standstill([&] { return sent.load(); }), kMessages / 2);
  ReleaseThreads();
  for (const auto& [id, answer] : AnswersOf(*stream, kMessages)) {
    EXPECT_EQ(answer.page().events_size(), 1) << answer.failure().message();
  }
  sender.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(PagesLimitsTest, AMessageOfTooManyQuestionsIsRefusedAfterTheAnswersBefore) {
  Serve({});
  const auto stream = Open();
  v1::ReadPagesRequest request = Questions(0, kStreamQuestionsMax, "quick");
  ASSERT_TRUE(stream->Write(request));
  AddQuestion(kStreamQuestionsMax, "quick", request);
  stream->Write(request);
  AnswersOf(*stream, kStreamQuestionsMax);
  v1::ReadPagesResponse more;
  EXPECT_FALSE(stream->Read(&more));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace qinglan::tests
