// The first page of a read: what is in it, where it ends, and how the rest follows.
#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "services/eventstore/wire/messages.h"
#include "tests/services/eventstore/log_under_test.h"
#include "tests/services/eventstore/raw_client.h"

namespace qinglan::tests {
namespace {

using eventstore::Position;
using eventstore::remote::kMessageEventBytesMax;
using eventstore::remote::kMessageEventsMax;
using grpc::StatusCode;
namespace v1 = eventstore::v1;

class PageTest : public testing::Test {
 protected:
  static v1::ReadRequest Tagged(const std::string& tag) {
    v1::ReadRequest request;
    request.mutable_query()->add_items()->add_tags(tag);
    return request;
  }
  grpc::Status Ask(const v1::ReadRequest& read, v1::ReadResponse& page) {
    const auto context = client_.Context();
    const auto stream = client_.ReadPages(*context);
    v1::ReadPagesRequest request;
    *request.add_questions()->mutable_read() = read;
    stream->Write(request);
    v1::ReadPagesResponse response;
    page.Clear();
    if (!stream->Read(&response)) return stream->Finish();
    EXPECT_EQ(response.answers_size(), 1);
    page = response.answers(0).page();
    const v1::ReadFailure& failure = response.answers(0).failure();
    return {static_cast<StatusCode>(failure.code()), failure.message()};
  }

  LogUnderTest log_;
  RawClient client_{log_.target()};
};

TEST_F(PageTest, AReadOfFewEventsIsWholeWithItsFirstPage) {
  log_.Put(20, {"t:1"});
  log_.Put(5, {"t:2"});
  v1::ReadResponse page;
  ASSERT_TRUE(Ask(Tagged("t:1"), page).ok());
  EXPECT_EQ(page.events_size(), 20);
  EXPECT_TRUE(page.complete());
  EXPECT_EQ(page.up_to(), 25u);
  EXPECT_EQ(page.position(), 25u);
  ASSERT_TRUE(Ask(Tagged("nobody"), page).ok());
  EXPECT_EQ(page.events_size(), 0);
  EXPECT_TRUE(page.complete());
  EXPECT_EQ(page.position(), 25u);
}

TEST_F(PageTest, TheCallersLimitEndsItAtTheLastEvent) {
  log_.Put(20, {"t:1"});
  v1::ReadRequest request = Tagged("t:1");
  request.set_limit(7);
  v1::ReadResponse page;
  ASSERT_TRUE(Ask(request, page).ok());
  EXPECT_EQ(page.events_size(), 7);
  EXPECT_TRUE(page.complete());
  EXPECT_EQ(page.position(), 7u);
  request.set_backwards(true);
  ASSERT_TRUE(Ask(request, page).ok());
  EXPECT_EQ(page.events(0).position(), 20u);
  EXPECT_EQ(page.position(), 14u);
}

TEST_F(PageTest, ItIsBoundedInEventsAndInBytes) {
  log_.Put(kMessageEventsMax + 1, {"many"}, 10);
  v1::ReadResponse page;
  ASSERT_TRUE(Ask(Tagged("many"), page).ok());
  EXPECT_EQ(page.events_size(), static_cast<int>(kMessageEventsMax));
  EXPECT_FALSE(page.complete());
  constexpr size_t kPayload = 100'000;
  log_.Put(5, {"large"}, kPayload);
  ASSERT_TRUE(Ask(Tagged("large"), page).ok());
  EXPECT_EQ(page.events_size(), 3);
  EXPECT_GE(page.ByteSizeLong(), kMessageEventBytesMax);
  EXPECT_LT(page.ByteSizeLong(), kMessageEventBytesMax + 2 * kPayload);
  EXPECT_FALSE(page.complete());
}

TEST_F(PageTest, PagesWithTheBoundOfTheFirstAreOfOneLogWhileItGrows) {
  log_.Put(1'200, {"t:1"});
  v1::ReadRequest request = Tagged("t:1");
  std::vector<uint64_t> seen;
  v1::ReadResponse page;
  size_t pages = 0;
  while (!page.complete()) {
    ASSERT_TRUE(Ask(request, page).ok());
    ++pages;
    for (const v1::Event& event : page.events()) seen.push_back(event.position());
    EXPECT_EQ(page.up_to(), 1'200u);
    request.set_up_to(page.up_to());
    request.set_after(seen.back());
    log_.Put(600, {"t:1"});
  }
  EXPECT_EQ(pages, 3u);
  ASSERT_EQ(seen.size(), 1'200u);
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
  EXPECT_EQ(page.position(), 1'200u);
}

TEST_F(PageTest, ABrokenQueryIsInvalid) {
  v1::ReadResponse page;
  EXPECT_EQ(Ask(Tagged(""), page).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(PageTest, ItEndsBeforeDamageAndThePageBehindItIsDataLoss) {
  log_.Put(20, {"t:1"});
  log_.store().damaged_at = 11;
  v1::ReadRequest request = Tagged("t:1");
  v1::ReadResponse page;
  ASSERT_TRUE(Ask(request, page).ok());
  EXPECT_EQ(page.events_size(), 10);
  EXPECT_FALSE(page.complete());
  EXPECT_EQ(page.up_to(), 20u);
  request.set_after(10);
  const grpc::Status status = Ask(request, page);
  EXPECT_EQ(status.error_code(), StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("position 11:"));

  const auto client = log_.server().Connect();
  uint64_t last = 0;
  const auto read = client->Read(TaggedWith("t:1"), {}, [&](const eventstore::EventView& event) {
    last = event.position.value;
    return true;
  });
  EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
  EXPECT_THAT(std::string(read.status().message()), testing::HasSubstr("position 11:"));
  EXPECT_EQ(last, 10u);
}

TEST_F(PageTest, TheClientWaitsForAnAnswerNoLongerThanItsTimeout) {
  log_.Put(kMessageEventsMax, {"t:1"});
  auto options = log_.server().ClientOptions();
  options.timeout = absl::Milliseconds(300);
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  log_.store().before_showing = [](Position) { absl::SleepFor(absl::Milliseconds(10)); };
  const absl::Time start = absl::Now();
  EXPECT_EQ(client->Read(TaggedWith("t:1"), {}, [](const auto&) { return true; }).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_LT(absl::Now() - start, absl::Seconds(4));
}

}  // namespace
}  // namespace qinglan::tests
