// G3, G6: followers of many writers miss nothing, see nothing twice, and see it in order.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

constexpr int kWriters = 16;
constexpr int kFollowers = 4;
constexpr int kCommitsEach = 60;

class ConcurrencyTest : public ContractTest {
 protected:
  // Commits of one to three events; writer w's bear its tag.
  void Write(int w) {
    for (int i = 0; i < kCommitsEach; ++i) {
      AppendRequest request = MakeRequest(fmt::format("c-{}-{}", w, i), {});
      for (int e = 0; e <= i % 3; ++e)
        request.events.push_back(MakeEvent("a", {fmt::format("writer:{}", w)}));
      const size_t count = request.events.size();
      const auto appended = store().AppendAndWait(std::move(request));
      ASSERT_TRUE(appended.ok()) << appended.status();
      ASSERT_EQ(appended->last.value - appended->first.value + 1, count);
    }
  }

  // Follows to the end of the log, joining anew at every seventh batch.
  std::vector<Event> FollowAll(const Query& query, const std::atomic<bool>& written) {
    std::vector<Event> seen;
    Progress progress;
    for (bool ended = false; !ended;) {
      auto subscription = store().Subscribe(query, progress.position);
      EXPECT_TRUE(subscription.ok()) << subscription.status();
      for (int batch = 0; batch < 7 && !ended; ++batch) {
        const bool last_look = written;
        const auto next = (*subscription)->Next(50, absl::Milliseconds(50), [&](const EventView& event) {
          seen.push_back(Copy(event));
          return true;
        });
        EXPECT_TRUE(next.ok()) << next.status();
        if (!next.ok()) return seen;
        progress = *next;
        ended = last_look && progress.caught_up;
      }
    }
    return seen;
  }
};
QL_ON_EVERY_IMPLEMENTATION(ConcurrencyTest);

TEST_P(ConcurrencyTest, FollowersOfManyWritersMissNothingAndSeeNothingTwiceOrOutOfOrder) {
  std::atomic<bool> written = false;
  std::vector<std::vector<Event>> seen(kFollowers);
  std::vector<std::thread> followers;
  for (int f = 0; f < kFollowers; ++f) {
    followers.emplace_back([&, f] {
      seen[f] = FollowAll(f % 2 == 0 ? Query::All() : Tagged({fmt::format("writer:{}", f)}), written);
    });
  }
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) writers.emplace_back([&, w] { Write(w); });
  for (std::thread& writer : writers) writer.join();
  written = true;
  for (std::thread& follower : followers) follower.join();

  const size_t each = kCommitsEach * 2;  // one, two, three events in turn
  for (int f = 0; f < kFollowers; ++f) {
    ASSERT_EQ(seen[f].size(), f % 2 == 0 ? each * kWriters : each);
    for (size_t i = 0; i < seen[f].size(); ++i) {
      if (f % 2 == 0) {
        ASSERT_EQ(seen[f][i].position, Position(i + 1));
      }
      if (i == 0) continue;
      ASSERT_LT(seen[f][i - 1].position, seen[f][i].position);
      ASSERT_LE(seen[f][i - 1].recorded_at, seen[f][i].recorded_at);
      // Adjacent within their commit.
      if (seen[f][i].index_in_commit > 0) {
        ASSERT_EQ(seen[f][i].commit_id, seen[f][i - 1].commit_id);
        ASSERT_EQ(seen[f][i].position, seen[f][i - 1].position.Next());
      }
    }
  }
}

TEST_P(ConcurrencyTest, AReaderThatHasSeenAPositionHasSeenEverythingBefore) {
  std::atomic<bool> written = false;
  std::thread reader([&] {
    while (!written) {
      const Position head = HeadNow();
      uint64_t expected = head.value;
      const auto read =
          store().Read(Query::All(), {.limit = 40, .backwards = true}, [&](const EventView& event) {
            expected = std::max(expected, event.position.value);  // the head may have moved on
            EXPECT_EQ(event.position.value, expected);
            --expected;
            return true;
          });
      EXPECT_TRUE(read.ok()) << read.status();
    }
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) writers.emplace_back([&, w] { Write(w); });
  for (std::thread& writer : writers) writer.join();
  written = true;
  reader.join();
}

// Answers and the appends that they bring go in bundles between client and server; none may be left behind.
TEST_P(ConcurrencyTest, AnAnswerMayBringTheNextAppendOfManyCallers) {
  constexpr int kLoops = 24;
  constexpr int kAppendsEach = 40;
  std::mutex mutex;
  std::condition_variable changed;
  int over = 0;
  std::vector<int> done(kLoops, 0);
  std::function<void(int)> append = [&](int loop) {
    const int n = ++done[static_cast<size_t>(loop)];
    if (n > kAppendsEach) {
      const std::lock_guard lock(mutex);
      ++over;
      return changed.notify_one();
    }
    store().Append(MakeRequest(fmt::format("c-{}-{}", loop, n), {MakeEvent("type", {})}),
                   [&, loop](const absl::StatusOr<Appended>& answer) {
                     EXPECT_TRUE(answer.ok()) << answer.status();
                     append(loop);
                   });
  };
  for (int loop = 0; loop < kLoops; ++loop) append(loop);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return over == kLoops; }));
  EXPECT_EQ(HeadNow(), Position(kLoops * kAppendsEach));
}

// More appends than one write takes, of one caller that does not wait.
TEST_P(ConcurrencyTest, AppendsOfOneCallerAreAcknowledgedInOrder) {
  constexpr int kAppends = 9000;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<uint64_t> acknowledged;  // positions, as the answers came
  for (int i = 0; i < kAppends; ++i) {
    store().Append(MakeRequest(fmt::format("c-{}", i), {MakeEvent("type", {})}),
                   [&](absl::StatusOr<Appended> answer) {
                     const std::lock_guard lock(mutex);
                     acknowledged.push_back(answer.ok() ? answer->last.value : 0);
                     changed.notify_one();
                   });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return acknowledged.size() == kAppends; });
  for (uint64_t i = 0; i < kAppends; ++i) ASSERT_EQ(acknowledged[i], i + 1);
}

}  // namespace
}  // namespace qinglan::eventstore
