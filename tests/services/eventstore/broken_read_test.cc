// A read of which a part fails at the server and would not fail again: the client hands out the whole, once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <vector>

#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::ReadOptions;
namespace v1 = eventstore::v1;

constexpr uint64_t kEvents = 2'000;

void ExpectWhole(const EventStore& store, const Query& query, const ReadOptions& options) {
  SCOPED_TRACE(options.backwards ? "backwards" : "forwards");
  std::vector<uint64_t> seen;
  const auto read = store.Read(query, options, [&](const EventView& event) {
    seen.push_back(event.position.value);
    return true;
  });
  ASSERT_TRUE(read.ok()) << read.status();
  const uint64_t count = std::min<uint64_t>(kEvents, options.limit);
  ASSERT_EQ(seen.size(), count);
  for (size_t i = 0; i < count; ++i) ASSERT_EQ(seen[i], options.backwards ? kEvents - i : i + 1);
  EXPECT_EQ(*read, Position(options.limit < kEvents ? seen.back() : kEvents));
}

// In the first message, in the one after, and where one has just ended.
TEST(BrokenReadTest, AStoreThatFailsOnceInTheMidstOfAMessageIsReadToTheEnd) {
  LogUnderTest log;
  log.Put(kEvents, {"t:1"});
  const auto client = log.server().Connect();
  for (const size_t fails_after : {1u, 300u, 512u, 700u, 1'999u}) {
    for (const bool backwards : {false, true}) {
      for (const Query& query : {TaggedWith("t:1"), Query::All()}) {
        for (const size_t limit : {SIZE_MAX, size_t{kEvents - 100}}) {
          SCOPED_TRACE(fmt::format("after {}, limit {}", fails_after, limit));
          if (fails_after >= limit) continue;
          log.store().fails_once_at = log.store().shown() + fails_after;
          ExpectWhole(*client, query, {.limit = limit, .backwards = backwards});
          EXPECT_EQ(log.store().fails_once_at, SIZE_MAX) << "it did not fail";
        }
      }
    }
  }
}

TEST(BrokenReadTest, TheLastMessageOfAReadThatFailedHasTheBound) {
  LogUnderTest log;
  log.Put(kEvents, {"t:1"});
  log.store().fails_once_at = 700;
  const RawClient client(log.target());
  v1::ReadRequest request;
  request.mutable_query()->add_items();
  const auto context = client.Context();
  const auto stream = client.Stream<v1::ReadResponse>("Read", *context, request);
  uint64_t last = 0;
  for (v1::ReadResponse message; stream->Read(&message);) {
    EXPECT_EQ(message.up_to(), kEvents);
    EXPECT_FALSE(message.complete());
    if (message.events_size() > 0) last = message.events(message.events_size() - 1).position();
  }
  EXPECT_EQ(last, 700u);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// As servers were before they gave pages: what had been read when the store failed came without the bound.
class OldServer final : public grpc::CallbackGenericService {
 public:
  explicit OldServer(uint64_t head) : head_(head) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~OldServer() override { server_->Shutdown(); }

  // The next read fails behind so many events.
  void FailOnce(uint64_t after) { fails_after_ = after; }
  uint64_t failed() const { return failed_; }
  std::unique_ptr<eventstore::RemoteEventStore> Connect() const {
    eventstore::RemoteEventStore::Options options;
    options.target = fmt::format("127.0.0.1:{}", port_);
    return *eventstore::RemoteEventStore::Connect(options);
  }

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call(OldServer& server, std::string rpc) : server_(server), rpc_(std::move(rpc)) { StartRead(&request_); }

   private:
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      if (rpc_ == kService + "GetHead") {
        v1::GetHeadResponse head;
        head.set_position(server_.head_);
        return Answer(head.SerializeAsString(), grpc::Status::OK);
      }
      if (rpc_ != kService + "Read") return Finish({grpc::StatusCode::UNIMPLEMENTED, "not yet"});
      bool failed = false;
      std::string bytes = server_.Read(eventstore::remote::FlatBytes(request_).view(), failed);
      Answer(std::move(bytes),
             failed ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the test says so") : grpc::Status::OK);
    }
    void Answer(std::string bytes, const grpc::Status& status) {
      response_ = eventstore::remote::ToBuffer(std::move(bytes));
      StartWriteAndFinish(&response_, {}, status);
    }
    void OnDone() override { delete this; }

    OldServer& server_;
    const std::string rpc_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Call(*this, context->method());
  }

  // All of a read, in one message.
  std::string Read(std::string_view request, bool& failed) {
    eventstore::remote::ReadCall call;
    EXPECT_TRUE(eventstore::remote::DecodeRead(request, call));
    const uint64_t up_to = std::min(call.options.up_to.value_or(Position(head_)).value, head_);
    uint64_t left = up_to > call.options.after.value ? up_to - call.options.after.value : 0;
    const uint64_t fails_after = fails_after_.exchange(UINT64_MAX);
    failed = left > fails_after;
    if (failed) {
      left = fails_after;
      ++failed_;
    }
    std::string bytes;
    EventView event;
    for (uint64_t i = 0; i < left; ++i) {
      event.position = Position(call.options.backwards ? up_to - i : call.options.after.value + i + 1);
      eventstore::remote::AddEvent(event, bytes);
    }
    if (!failed) eventstore::remote::AddReadEnd({Position(up_to), true, Position(up_to)}, bytes);
    return bytes;
  }

  const uint64_t head_;
  int port_ = 0;
  std::atomic<uint64_t> fails_after_ = UINT64_MAX;
  std::atomic<uint64_t> failed_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST(BrokenReadTest, AMessageOfAnOlderServerWithoutABoundIsNoEnd) {
  OldServer server(kEvents);
  const auto client = server.Connect();
  for (const bool backwards : {false, true}) {
    server.FailOnce(700);
    ExpectWhole(*client, Query::All(), {.backwards = backwards});
    server.FailOnce(700);
    ExpectWhole(*client, Query::All(), {.up_to = Position(kEvents), .backwards = backwards});
  }
  EXPECT_EQ(server.failed(), 4u);
}

TEST(BrokenReadTest, AnEmptyLogOfAnOlderServerIsReadToItsEnd) {
  OldServer server(0);
  const auto client = server.Connect();
  for (const bool backwards : {false, true}) {
    const auto read = client->Read(Query::All(), {.backwards = backwards}, [](const EventView&) {
      ADD_FAILURE() << "there is nothing";
      return true;
    });
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, Position(0));
  }
}

}  // namespace
}  // namespace qinglan::tests
