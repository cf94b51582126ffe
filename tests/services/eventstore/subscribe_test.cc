// Subscribe: progress past what does not match, followers that read slowly or not at all, and the end.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "services/eventstore/server/subscribe_call.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::v1::SubscribeRequest;
using eventstore::v1::SubscribeResponse;

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  statm >> pages >> pages;
  return pages * 4096;
}

class SubscribeTest : public testing::Test {
 protected:
  std::unique_ptr<grpc::ClientReader<SubscribeResponse>> Follow(grpc::ClientContext& context,
                                                                const std::string& tag, uint64_t after = 0) {
    SubscribeRequest request;
    auto* item = request.mutable_query()->add_items();
    if (!tag.empty()) item->add_tags(tag);
    request.set_after(after);
    return client_.Stream<SubscribeResponse>("Subscribe", context, request);
  }

  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(SubscribeTest, TheFirstMessageComesAtOnceAndGrowthThatDoesNotMatchMovesThePosition) {
  log_.Put(3, {"t:1"});
  const auto context = client_.Context();
  const auto stream = Follow(*context, "t:9");
  SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.events_size(), 0);
  EXPECT_EQ(message.position(), 3u);
  EXPECT_TRUE(message.caught_up());
  log_.Put(2, {"t:1"});
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.events_size(), 0);
  EXPECT_EQ(message.position(), 5u);
  log_.Put(1, {"t:9"});
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_EQ(message.events_size(), 1);
  EXPECT_EQ(message.events(0).position(), 6u);
  EXPECT_TRUE(message.caught_up());
}

TEST_F(SubscribeTest, AnIdleFollowerHearsAHeartbeat) {
  const auto context = client_.Context();
  const auto stream = Follow(*context, "");
  SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  const absl::Time start = absl::Now();
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.position(), 0u);
  EXPECT_GE(absl::Now() - start, eventstore::remote::kHeartbeat - absl::Milliseconds(100));
}

// 400 MB wait for it; what it is sent is bounded by flow control and the one message under way.
TEST_F(SubscribeTest, AFollowerThatStopsReadingHoldsUpNobodyAndCostsNoMemory) {
  constexpr size_t kEvents = 40'000;
  const auto context = client_.Context(absl::Seconds(120));
  const auto stream = Follow(*context, "");
  SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  const auto writer = log_.server().Connect();
  ASSERT_TRUE(writer->AppendAndWait(OneEvent("first")).ok());
  log_.Put(kEvents, {"t:1"}, 10'000);
  const uint64_t shown = Standstill([&] { return log_.store().shown(); });
  const size_t before = ResidentBytes();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(writer->AppendAndWait(OneEvent(fmt::format("w-{}", i), {}, 10'000)).ok());
  }
  EXPECT_LT(shown, kEvents / 10);
  EXPECT_EQ(log_.store().shown(), shown);  // nothing was read for it meanwhile
  EXPECT_LT(ResidentBytes(), before + 64 * 1024 * 1024);
  // It reads on where it was, and gets all of it.
  uint64_t position = message.position();
  uint64_t next = 1;
  while (position < kEvents + 201 && stream->Read(&message)) {
    for (const auto& event : message.events()) ASSERT_EQ(event.position(), next++);
    position = message.position();
  }
  EXPECT_EQ(next, kEvents + 202);
}

TEST_F(SubscribeTest, ManyFollowersThatComeAndGoLeaveNothingBehind) {
  log_.Put(100, {"t:1"});
  for (int i = 0; i < 300; ++i) {
    const auto context = client_.Context();
    const auto stream = Follow(*context, i % 2 == 0 ? "t:1" : "t:9");
    SubscribeResponse message;
    if (i % 3 != 0) {
      ASSERT_TRUE(stream->Read(&message));
    }
    context->TryCancel();
    stream->Finish();
  }
  log_.Down();  // waits for every call
}

TEST_F(SubscribeTest, AServerThatStopsSaysUnavailable) {
  const auto context = client_.Context();
  const auto stream = Follow(*context, "");
  SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  const absl::Time start = absl::Now();
  log_.server().Drain(absl::Seconds(20));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace qinglan::tests
