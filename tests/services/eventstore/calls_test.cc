// The other calls: errors of a broken request, deadlines, cancellation, who is let in.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "qinglan/training/v1/training_service.pb.h"
#include "services/eventstore/server/gate.h"
#include "services/eventstore/wire/grpc.h"
#include "services/runtime/access/installation.h"
#include "services/runtime/decision.h"
#include "services/runtime/transport/status.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::Position;
using grpc::StatusCode;
namespace v1 = eventstore::v1;

v1::AppendRequest Request(const std::string& commit_id) {
  v1::AppendRequest request;
  request.set_commit_id(commit_id);
  request.add_events()->set_type("tested");
  return request;
}

class CallsTest : public testing::Test {
 protected:
  grpc::Status Append(const v1::AppendRequest& request, v1::AppendResponse* response = nullptr) {
    const auto context = client_.Context();
    v1::AppendResponse ignored;
    return client_.Unary("Append", *context, request, response == nullptr ? ignored : *response);
  }
  template <class Response, class Request>
  grpc::Status Stream(const RawClient& client, const std::string& rpc, const Request& request) {
    const auto context = client.Context();
    const auto stream = client.Stream<Response>(rpc, *context, request);
    Response response;
    while (stream->Read(&response)) {
      if (rpc == "Subscribe") context->TryCancel();
    }
    return stream->Finish();
  }

  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(CallsTest, AnAppendIsAnsweredWithItsPlaceAndAgainWithTheSame) {
  v1::AppendResponse first;
  ASSERT_TRUE(Append(Request("c"), &first).ok());
  EXPECT_EQ(first.appended().first(), 1u);
  EXPECT_EQ(first.appended().last(), 1u);
  EXPECT_FALSE(first.appended().replayed());
  v1::AppendResponse again;
  ASSERT_TRUE(Append(Request("c"), &again).ok());
  EXPECT_TRUE(again.appended().replayed());
  EXPECT_EQ(again.appended().recorded_at_us(), first.appended().recorded_at_us());
}

TEST_F(CallsTest, AConflictTellsItsPosition) {
  log_.Put(3, {"t:1"});
  v1::AppendRequest request = Request("c");
  request.mutable_condition()->mutable_fail_if_events_match()->add_items()->add_tags("t:1");
  request.mutable_condition()->set_after(1);
  const grpc::Status status = Append(request);
  EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
  EXPECT_EQ(eventstore::ConflictPosition(eventstore::remote::FromGrpcStatus(status)), Position(2));
  EXPECT_EQ(runtime::ReasonOf(runtime::FromGrpc(status)), "APPEND_CONFLICT");
}

TEST_F(CallsTest, EveryFieldOfAnAppendIsHeldToItsLimit) {
  struct Case {
    std::string field;
    std::function<void(v1::AppendRequest&)> breaks;
  };
  const std::string long_text(1000, 'x');
  for (const Case& each : std::vector<Case>{
           {"commit_id", [](auto& r) { r.clear_commit_id(); }},
           {"commit_id", [&](auto& r) { r.set_commit_id(long_text); }},
           {"fingerprint", [&](auto& r) { r.set_fingerprint(long_text); }},
           {"actor", [&](auto& r) { r.set_actor(long_text); }},
           {"correlation_id", [&](auto& r) { r.set_correlation_id(long_text); }},
           {"causation_id", [&](auto& r) { r.set_causation_id(long_text); }},
           {"events", [](auto& r) { r.clear_events(); }},
           {"events[0].type", [](auto& r) { r.mutable_events(0)->clear_type(); }},
           {"events[0].tags[0]", [&](auto& r) { r.mutable_events(0)->add_tags(long_text); }},
           {"events[0].tags[1]",
            [](auto& r) {
              r.mutable_events(0)->add_tags("t:1");
              r.mutable_events(0)->add_tags("t:1");
            }},
           {"events[0].occurred_on",
            [](auto& r) { r.mutable_events(0)->set_occurred_on_days(std::numeric_limits<int32_t>::min()); }},
           {"events[0].occurred_on",
            [](auto& r) { r.mutable_events(0)->set_occurred_on_days(std::numeric_limits<int32_t>::max()); }},
           {"events[0].payload",
            [](auto& r) { r.mutable_events(0)->set_payload(std::string(256 * 1024 + 1, 'x')); }},
           {"query.items",
            [](auto& r) {
              for (int i = 0; i < 101; ++i) {
                r.mutable_condition()->mutable_fail_if_events_match()->add_items()->add_tags("t");
              }
            }},
           {"condition.after", [](auto& r) { r.mutable_condition()->set_after(1); }},
       }) {
    v1::AppendRequest request = Request("c");
    each.breaks(request);
    const grpc::Status status = Append(request);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << each.field;
    EXPECT_THAT(status.error_message(), testing::HasSubstr(each.field));
  }
  EXPECT_EQ(*log_.store().Head(), Position(0));
}

TEST_F(CallsTest, TheLargestCommitWithTheLargestConditionFitsIntoAMessage) {
  eventstore::AppendRequest request = OneEvent("largest");
  request.events.clear();
  for (size_t i = 0; i < eventstore::kEventsPerCommitMax; ++i) {
    eventstore::NewEvent event{"t", {}, absl::CivilDay(2026, 9, 1), ""};
    for (size_t tag = 0; tag < eventstore::kTagsPerEventMax; ++tag) {
      event.tags.push_back(fmt::format("{:065}", i * 100 + tag));
    }
    request.events.push_back(std::move(event));
  }
  request.condition.emplace();
  for (size_t i = 0; i < 20; ++i) {
    auto& item = request.condition->fail_if_events_match.items.emplace_back();
    for (size_t tag = 0; tag < 50; ++tag) item.tags.push_back(fmt::format("{:0200}", i * 100 + tag));
  }
  const auto client = log_.server().Connect();
  const auto appended = client->AppendAndWait(std::move(request));
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->last, Position(eventstore::kEventsPerCommitMax));
}

TEST_F(CallsTest, BytesThatAreNoRequestAreInvalidForEveryRpc) {
  const grpc::ByteBuffer broken = BufferOf("\x0a\x7f");
  for (const char* rpc : {"Append", "FindCommit", "GetTree", "GetLeaf", "ProveEvent", "ProveExtension"}) {
    const auto context = client_.Context();
    grpc::ByteBuffer response;
    EXPECT_EQ(client_.Unary(rpc, *context, broken, response).error_code(), StatusCode::INVALID_ARGUMENT)
        << rpc;
  }
  for (const char* rpc : {"Read", "Subscribe"}) {
    const auto context = client_.Context();
    const auto stream = client_.Stream<grpc::ByteBuffer>(rpc, *context, broken);
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT) << rpc;
  }
  for (const char* rpc : {"AppendStream", "ReadPages"}) {
    const auto context = client_.Context();
    const auto stream = client_.StreamOfBytes(rpc, *context);
    stream->Write(broken);
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT) << rpc;
  }
}

TEST_F(CallsTest, ABrokenQueryAndAPlacePastTheHeadAreInvalid) {
  v1::ReadRequest read;
  read.mutable_query()->add_items()->add_tags("");
  EXPECT_EQ(Stream<v1::ReadResponse>(client_, "Read", read).error_code(), StatusCode::INVALID_ARGUMENT);
  v1::SubscribeRequest subscribe;
  *subscribe.mutable_query() = read.query();
  EXPECT_EQ(Stream<v1::SubscribeResponse>(client_, "Subscribe", subscribe).error_code(),
            StatusCode::INVALID_ARGUMENT);
  subscribe.clear_query();
  subscribe.set_after(1);
  EXPECT_EQ(Stream<v1::SubscribeResponse>(client_, "Subscribe", subscribe).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(CallsTest, AnAppendWhoseDeadlineIsOverIsNotStored) {
  v1::AppendResponse response;
  const auto context = client_.Context(absl::Milliseconds(-1));
  EXPECT_EQ(client_.Unary("Append", *context, Request("late"), response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(absl::IsNotFound(log_.store().FindCommit("late").status()));
}

TEST_F(CallsTest, AnAppendThatWaitsTooLongMissesItsDeadlineAndIsFoundAgain) {
  log_.store().Hold();
  v1::AppendResponse response;
  // On a busy machine the time may be up before the store has seen anything: then it is tried with more.
  for (absl::Duration patience = absl::Milliseconds(100); log_.store().held() == 0; patience *= 2) {
    const auto context = client_.Context(patience);
    ASSERT_EQ(client_.Unary("Append", *context, Request("c"), response).error_code(),
              StatusCode::DEADLINE_EXCEEDED);
  }
  log_.store().Release();
  ASSERT_TRUE(Append(Request("c"), &response).ok());
  EXPECT_TRUE(response.appended().replayed());
}

// Each event takes 10 ms to be shown, so the whole log would take minutes.
TEST_F(CallsTest, CancellationAndDeadlineEndAReadAtTheServerAtOnce) {
  constexpr size_t kEvents = 20'000;
  log_.Put(kEvents, {"t:1"});
  log_.store().before_showing = [](Position) { absl::SleepFor(absl::Milliseconds(10)); };
  v1::ReadRequest request;
  request.mutable_query()->add_items();
  for (const bool cancels : {true, false}) {
    const size_t before = log_.store().shown();
    const auto context = client_.Context(cancels ? absl::Seconds(100) : absl::Milliseconds(200));
    const auto stream = client_.Stream<v1::ReadResponse>("Read", *context, request);
    if (cancels) {
      while (log_.store().shown() == before) std::this_thread::yield();
      context->TryCancel();
    }
    EXPECT_EQ(stream->Finish().error_code(), cancels ? StatusCode::CANCELLED : StatusCode::DEADLINE_EXCEEDED);
    const uint64_t ended = Standstill([&] { return log_.store().shown(); });
    EXPECT_LT(ended - before, kEvents / 10);
  }
}

// It takes as long as a stream's token is not looked at.
TEST_F(CallsTest, ATokenThatRunsOutEndsItsStreamAndTheClientGoesOnWithAnother) {
  const runtime::Principal principal{"operator", "", {{rules::v1::ROLE_OPERATOR, ""}}};
  const auto short_lived = [&] { return TokenOf(principal, absl::Seconds(5)); };
  auto options = log_.server().ClientOptions();
  options.token = short_lived;
  const auto store = *eventstore::RemoteEventStore::Connect(options);
  const auto works = [&](const std::string& commit_id) {
    EXPECT_TRUE(store->AppendAndWait(OneEvent(commit_id)).ok());
    EXPECT_TRUE(store->Read(TaggedWith("t"), {}, [](const auto&) { return true; }).ok());
  };
  const RawClient client(log_.target(), short_lived());
  const auto append_context = client.Context();
  const auto appends = client.AppendStream(*append_context);
  const auto pages_context = client.Context();
  const auto pages = client.ReadPages(*pages_context);
  v1::AppendStreamRequest append;
  *append.add_appends() = Request("a");
  v1::ReadPagesRequest question;
  question.add_questions();
  v1::AppendStreamResponse appended;
  v1::ReadPagesResponse page;
  ASSERT_TRUE(appends->Write(append) && appends->Read(&appended));
  ASSERT_TRUE(pages->Write(question) && pages->Read(&page));
  works("b");
  absl::SleepFor(eventstore::remote::kTokenJudgedEvery + absl::Milliseconds(100));
  *append.mutable_appends(0) = Request("c");
  appends->Write(append);
  EXPECT_EQ(appends->Finish().error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_FALSE(log_.store().FindCommit("c").ok());
  pages->Write(question);
  EXPECT_EQ(pages->Finish().error_code(), StatusCode::UNAUTHENTICATED);
  works("d");
}

TEST_F(CallsTest, OnlyAnOperatorOfTheWholeInstallationIsLetIn) {
  using runtime::RoleAt;
  struct Case {
    std::string token;
    StatusCode code;
  };
  const std::string org = "01J00000000000000000000000";
  for (const Case& each : std::vector<Case>{
           {"", StatusCode::UNAUTHENTICATED},
           {"no.token.at-all", StatusCode::UNAUTHENTICATED},
           {TokenOf({"u", "", {}}), StatusCode::PERMISSION_DENIED},
           {TokenOf({"u", "", {RoleAt{rules::v1::ROLE_OPERATOR, org}}}), StatusCode::PERMISSION_DENIED},
           {TokenOf({"u", "", {RoleAt{rules::v1::ROLE_DISTRICT_ADMIN, ""}}}), StatusCode::PERMISSION_DENIED},
           {TokenOf({"u", "", {RoleAt{rules::v1::ROLE_AUDITOR, ""}}}), StatusCode::PERMISSION_DENIED}}) {
    const RawClient client(log_.target(), each.token);
    const auto unary = [&](const std::string& rpc, const auto& request, auto response) {
      const auto context = client.Context();
      const grpc::Status status = client.Unary(rpc, *context, request, response);
      EXPECT_EQ(status.error_code(), each.code) << rpc;
      EXPECT_THAT(status.error_message(),
                  testing::AnyOf(testing::HasSubstr("token"), testing::HasSubstr("may not")));
    };
    unary("Append", Request("c"), v1::AppendResponse());
    unary("FindCommit", v1::FindCommitRequest(), v1::FindCommitResponse());
    unary("GetHead", v1::GetHeadRequest(), v1::GetHeadResponse());
    unary("GetHeadAt", v1::GetHeadAtRequest(), v1::GetHeadAtResponse());
    unary("GetTree", v1::GetTreeRequest(), v1::GetTreeResponse());
    unary("GetLeaf", v1::GetLeafRequest(), v1::GetLeafResponse());
    unary("ProveEvent", v1::ProveEventRequest(), v1::ProveEventResponse());
    unary("ProveExtension", v1::ProveExtensionRequest(), v1::ProveExtensionResponse());
    EXPECT_EQ(Stream<v1::ReadResponse>(client, "Read", v1::ReadRequest()).error_code(), each.code);
    EXPECT_EQ(Stream<v1::SubscribeResponse>(client, "Subscribe", v1::SubscribeRequest()).error_code(),
              each.code);
    v1::AppendStreamRequest appends;
    *appends.add_appends() = Request("c");
    for (const char* rpc : {"AppendStream", "ReadPages"}) {
      const auto context = client.Context();
      const auto stream = client.StreamOfBytes(rpc, *context);
      stream->Write(BufferOf(appends.SerializeAsString()));
      EXPECT_EQ(stream->Finish().error_code(), each.code) << rpc;
    }
  }
  EXPECT_EQ(*log_.store().Head(), Position(0));
}

// As when the token's file is replaced by a private key: the process lives, and the key stays where it is.
TEST_F(CallsTest, WhatCanBeNoTokenIsNotSent) {
  auto options = log_.server().ClientOptions();
  const std::string good = options.token();
  std::string token = good;
  options.token = [&token] { return token; };
  options.timeout = absl::Seconds(2);
  const auto store = *eventstore::RemoteEventStore::Connect(options);
  token = "-----BEGIN PRIVATE KEY-----\nSECRET\n";
  const auto refused = store->FindCommit("c").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated) << refused;
  token = good;
  EXPECT_TRUE(store->Head().ok());
}

TEST_F(CallsTest, AServiceBesideTheTableNeedsRulesForTheInstallation) {
  const auto* ours = v1::AppendRequest::descriptor()->file()->FindServiceByName("EventStoreService");
  EXPECT_TRUE(runtime::CheckInstallationRules(*ours).ok());
  const auto* other = training::v1::EnrolTeacherRequest::descriptor()->file()->service(0);
  EXPECT_EQ(runtime::CheckInstallationRules(*other).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace qinglan::tests
