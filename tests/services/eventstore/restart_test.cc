// A client whose server goes and comes again: nothing is lost, nothing comes twice.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/services/eventstore/log_under_test.h"

namespace qinglan::tests {
namespace {

using eventstore::Appended;
using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;

TEST(RestartTest, AFollowerAndWritersGoOnOverRestartsWithoutAGapOrARepeat) {
  constexpr int kWriters = 4;
  LogUnderTest log;
  const auto client = log.server().Connect();
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> acknowledged = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; !stop; ++i) {
        const auto appended = client->AppendAndWait(OneEvent(fmt::format("c-{}-{}", w, i)));
        ASSERT_TRUE(appended.ok()) << appended.status();
        ++acknowledged;
      }
    });
  }
  std::vector<uint64_t> seen;
  std::set<std::string> commits;
  std::atomic<bool> written = false;
  std::thread follower([&] {
    auto subscription = client->Subscribe(Query::All(), Position(0));
    ASSERT_TRUE(subscription.ok()) << subscription.status();
    for (bool ended = false; !ended;) {
      const bool last_look = written;
      const auto progress = (*subscription)->Next(100, absl::Milliseconds(100), [&](const EventView& event) {
        seen.push_back(event.position.value);
        commits.emplace(event.commit_id);
        return true;
      });
      ASSERT_TRUE(progress.ok()) << progress.status();
      ended = last_look && progress->caught_up;
    }
  });
  for (int restart = 0; restart < 5; ++restart) {
    absl::SleepFor(absl::Milliseconds(200));
    log.Down();
    absl::SleepFor(absl::Milliseconds(100));
    log.Up();
  }
  absl::SleepFor(absl::Milliseconds(200));
  stop = true;
  for (std::thread& writer : writers) writer.join();
  written = true;
  follower.join();
  ASSERT_EQ(seen.size(), acknowledged.load());
  EXPECT_EQ(commits.size(), seen.size());
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
}

TEST(RestartTest, AReadGoesOnWhereItWasForwardsAndBackwards) {
  constexpr size_t kEvents = 8'000;
  LogUnderTest log;
  log.Put(kEvents, {"t:1"}, 1'000);
  const auto client = log.server().Connect();
  for (const bool backwards : {false, true}) {
    std::vector<uint64_t> seen;
    bool restarted = false;
    const auto read = client->Read(TaggedWith("t:1"), {.backwards = backwards}, [&](const EventView& event) {
      seen.push_back(event.position.value);
      if (seen.size() == 700) {
        log.Down();
        log.Up();
        restarted = true;
      }
      return true;
    });
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(restarted);
    EXPECT_EQ(*read, Position(kEvents));
    ASSERT_EQ(seen.size(), kEvents);
    for (size_t i = 0; i < kEvents; ++i) ASSERT_EQ(seen[i], backwards ? kEvents - i : i + 1);
  }
}

TEST(RestartTest, ReadersThatShareAStreamReadOnOverRestartsEachItsOwn) {
  constexpr int kThreads = 8;
  LogUnderTest log;
  for (int t = 0; t < kThreads; ++t) log.Put(static_cast<size_t>(t) + 1, {fmt::format("t:{}", t)});
  const auto client = log.server().Connect();
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string tag = fmt::format("t:{}", t);
      while (!stop) {
        int events = 0;
        const auto read = client->Read(TaggedWith(tag), {}, [&](const EventView& event) {
          EXPECT_EQ(event.tags[0], tag);
          ++events;
          return true;
        });
        EXPECT_TRUE(read.ok()) << read.status();
        EXPECT_EQ(events, t + 1);
        if (read.ok()) ++reads;
      }
    });
  }
  for (int restart = 0; restart < 3; ++restart) {
    const int before = reads;
    EXPECT_TRUE(Eventually([&] { return reads >= before + 100; }));
    log.Down();
    log.Up();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(RestartTest, WithoutAServerEverythingIsUnavailableInTime) {
  LogUnderTest log;
  auto options = log.server().ClientOptions();
  options.timeout = absl::Milliseconds(500);
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  ASSERT_TRUE(client->AppendAndWait(OneEvent("a")).ok());
  log.Down();
  const absl::Time start = absl::Now();
  EXPECT_EQ(client->AppendAndWait(OneEvent("b")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->Head().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->Read(Query::All(), {}, [](const EventView&) { return true; }).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->Subscribe(Query::All(), Position(0)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_FALSE(eventstore::RemoteEventStore::Connect(options).ok());
  log.Up();
  // The same again, as the contract says; a pause between two attempts to connect may outlast an append's
  // time.
  absl::StatusOr<eventstore::Appended> again = client->AppendAndWait(OneEvent("b"));
  for (int i = 0; i < 20 && absl::IsUnavailable(again.status()); ++i)
    again = client->AppendAndWait(OneEvent("b"));
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*client->Head(), Position(2));
}

TEST(RestartTest, ATokenThatIsNotLetInIsTheAnswerToEveryAppendThatWaits) {
  LogUnderTest log;
  auto options = log.server().ClientOptions();
  std::atomic<bool> valid = true;
  options.token = [&] { return valid ? OperatorToken() : TokenOf({"u", "", {}}); };
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  valid = false;
  EXPECT_EQ(client->AppendAndWait(OneEvent("a")).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(client->Subscribe(Query::All(), Position(0)).status().code(),
            absl::StatusCode::kPermissionDenied);
  valid = true;
  // One may yet be refused with the stream that was.
  EXPECT_TRUE(Eventually([&] { return client->AppendAndWait(OneEvent("a")).ok(); }));
}

// A stream that waits for a server has the token of when it was opened.
TEST(RestartTest, WhenTheServerComesReadsHaveATokenOfThatTime) {
  LogUnderTest log;
  auto options = log.server().ClientOptions();
  options.timeout = absl::Milliseconds(500);
  std::atomic<bool> valid = true;
  options.token = [&] { return valid ? OperatorToken() : TokenOf({"u", "", {}}); };
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto read = [&] {
    return client->Read(TaggedWith("t"), {}, [](const EventView&) { return true; }).status();
  };
  log.Down();
  valid = false;
  EXPECT_EQ(read().code(), absl::StatusCode::kUnavailable);
  valid = true;
  log.Up();
  // A pause between two attempts to connect may outlast a read's time.
  absl::Status again = read();
  for (int i = 0; i < 20 && absl::IsUnavailable(again); ++i) again = read();
  EXPECT_TRUE(again.ok()) << again;
}

// A stream that waits for a server has the token of its first reader.
TEST(RestartTest, AReadThatBeganLaterIsNotRefusedForTheTokenOfAnother) {
  LogUnderTest log;
  auto options = log.server().ClientOptions();
  std::atomic<bool> valid = true;
  std::atomic<int> tokens = 0;
  options.token = [&] {
    ++tokens;
    return valid ? OperatorToken() : TokenOf({"u", "", {}});
  };
  const auto client = *eventstore::RemoteEventStore::Connect(options);
  const auto read = [&] {
    return client->Read(TaggedWith("t"), {}, [](const EventView&) { return true; }).status();
  };
  log.Down();
  absl::SleepFor(absl::Milliseconds(100));
  valid = false;
  const int before = tokens;
  // Refused, unless its stream was of the old connection still: then it asks again, with a token of that
  // time.
  std::thread first([&] {
    EXPECT_THAT(read().code(), testing::AnyOf(absl::StatusCode::kPermissionDenied, absl::StatusCode::kOk));
  });
  EXPECT_TRUE(Eventually([&] { return tokens > before; }));
  absl::SleepFor(absl::Milliseconds(100));
  valid = true;
  std::thread second([&] { EXPECT_TRUE(read().ok()) << "of its own time the token is good"; });
  absl::SleepFor(absl::Milliseconds(100));
  log.Up();
  first.join();
  second.join();
}

TEST(RestartTest, AppendsThatWaitWhenTheServerGoesAreStoredOnceAndAnsweredInOrder) {
  constexpr int kAppends = 500;
  LogUnderTest log;
  const auto client = log.server().Connect();
  ASSERT_TRUE(client->AppendAndWait(OneEvent("first")).ok());
  absl::Mutex mutex;
  std::vector<int> order;
  uint64_t last = 0;
  for (int i = 0; i < kAppends; ++i) {
    client->Append(OneEvent(fmt::format("c-{}", i)), [&, i](const absl::StatusOr<Appended>& outcome) {
      const absl::MutexLock lock(&mutex);
      EXPECT_TRUE(outcome.ok()) << outcome.status();
      order.push_back(i);
      if (outcome.ok()) {
        EXPECT_GT(outcome->first.value, last);
        last = outcome->first.value;
      }
    });
    if (i == kAppends / 2) {
      log.Down();
      log.Up();
    }
  }
  const auto all = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return order.size() == kAppends; };
  mutex.LockWhen(absl::Condition(&all));
  for (int i = 0; i < kAppends; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  mutex.Unlock();
  EXPECT_EQ(*client->Head(), Position(kAppends + 1));
}

}  // namespace
}  // namespace qinglan::tests
