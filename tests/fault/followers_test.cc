// G6 and G3 under load: followers that come, stop and go on all the while miss nothing, get nothing twice and
// nothing out of order; and nobody sees what is not on stable storage yet.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "eventstore/rocks/fsck.h"
#include "tests/fault/disk/disk.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"

namespace qinglan::fault {
namespace {

using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::RocksEventStore;
using eventstore::Subscription;

constexpr int64_t kEventsInCi = 100'000;
constexpr int kWriters = 64;
constexpr int kGroups = 8;  // writer w is of group w % kGroups
constexpr uint64_t kCommitEventsMax = 20;
constexpr uint64_t kBatchMax = 2000;  // events of one call of Next()
constexpr int64_t kStuckPayloadBytes = 100'000;

AppendRequest Request(std::string commit_id) {
  AppendRequest request;
  request.fingerprint = commit_id;
  request.commit_id = std::move(commit_id);
  request.actor = "writer";
  return request;
}

// What one follower has been handed over. Writer w's events bear their number, from 1, as payload.
class Follower {
 public:
  // Of all events (no group), or of one group's.
  Follower(std::optional<int> group, uint32_t seed) : group_(group), random_(seed) {}

  // Comes and goes until it has everything up to `end`, which is set when the writers are done.
  void Run(EventStore& store, const std::atomic<uint64_t>& end) {
    const Query query = group_.has_value() ? Query{{{{}, {fmt::format("group:{}", *group_)}}}} : Query::All();
    while (wrong_.empty() && (end == 0 || checkpoint_.value < end)) {
      ++visits_;
      auto subscription = store.Subscribe(query, checkpoint_);
      if (!subscription.ok()) return Wrong(subscription.status().ToString());
      for (uint64_t batches = random_() % 50; batches > 0 && wrong_.empty(); --batches) Next(**subscription);
      if (random_() % 8 == 0) absl::SleepFor(absl::Milliseconds(random_() % 100));
    }
  }

  const std::string& wrong() const { return wrong_; }
  uint64_t events() const { return events_; }
  uint64_t visits() const { return visits_; }

 private:
  void Next(Subscription& subscription) {
    uint64_t leave_after = random_() % 4 == 0 ? random_() % 100 : kBatchMax;  // it stops reading on its own
    const auto progress =
        subscription.Next(1 + random_() % kBatchMax, absl::Milliseconds(20), [&](const EventView& event) {
          Meet(event);
          return leave_after-- > 0;
        });
    if (!progress.ok()) return Wrong(progress.status().ToString());
    if (progress->position < last_) return Wrong("the progress is behind what was handed over");
    if (progress->position < checkpoint_) return Wrong("the progress goes back");
    checkpoint_ = progress->position;
  }

  void Meet(const EventView& event) {
    ++events_;
    if (event.position <= last_) Wrong(fmt::format("{} comes after {}", event.position.value, last_.value));
    if (!group_.has_value() && event.position != last_.Next())
      Wrong(fmt::format("{} follows {}", event.position.value, last_.value));
    last_ = event.position;
    const size_t writer = std::stoul(std::string(TagValue(event, "writer")));
    if (event.payload != std::to_string(++met_[writer])) {
      Wrong(fmt::format("position {}: event {} of writer {} where {} is due", event.position.value,
                        event.payload, writer, met_[writer]));
    }
  }

  void Wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  const std::optional<int> group_;
  std::mt19937 random_;
  Position checkpoint_;
  Position last_;
  std::vector<uint64_t> met_ = std::vector<uint64_t>(kWriters);
  uint64_t events_ = 0;
  uint64_t visits_ = 0;
  std::string wrong_;
};

// Appends `events` events of one writer; how many commits it took.
uint64_t Write(EventStore& store, int writer, uint64_t events) {
  std::mt19937 random(static_cast<uint32_t>(writer));
  uint64_t commits = 0;
  for (uint64_t n = 0; n < events; ++commits) {
    AppendRequest request = Request(fmt::format("{}.{}", writer, n));
    const uint64_t size = std::min(events - n, 1 + random() % kCommitEventsMax);
    for (uint64_t i = 0; i < size; ++i) {
      request.events.push_back({fmt::format("type:{}", random() % 3),
                                {fmt::format("writer:{}", writer), fmt::format("group:{}", writer % kGroups)},
                                absl::CivilDay(2026, 9, 1),
                                std::to_string(++n)});
    }
    const auto answer = store.AppendAndWait(std::move(request));
    if (!answer.ok()) {
      ADD_FAILURE() << answer.status();
      return commits;
    }
  }
  return commits;
}

TEST(FollowersTest, FollowersThatComeAndGoMissNothing) {
  Hush();
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  const int64_t wanted = Amount("QINGLAN_FAULT_FOLLOWED_EVENTS", kEventsInCi);
  Evidence evidence("followers");
  const ScratchFolder folder;
  RocksEventStore::Options options = SmallStore(folder.log());
  options.small_buffers = wanted <= kEventsInCi;
  const auto store = RocksEventStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();

  std::atomic<uint64_t> end = 0;
  std::atomic<uint64_t> commits = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] { commits += Write(**store, w, static_cast<uint64_t>(wanted) / kWriters); });
  }
  std::vector<std::unique_ptr<Follower>> followers;
  std::vector<std::thread> following;
  const auto join = [&](std::optional<int> group) {
    followers.push_back(std::make_unique<Follower>(group, seed + static_cast<uint32_t>(followers.size())));
    following.emplace_back([&, follower = followers.back().get()] { follower->Run(**store, end); });
  };
  for (int i = 0; i < 3; ++i) join(std::nullopt);
  for (int group = 0; group < kGroups; group += 2) join(group);
  absl::SleepFor(absl::Milliseconds(200));
  for (int group = 1; group < kGroups; group += 2) join(group);  // the log is under way
  for (std::thread& writer : writers) writer.join();
  join(std::nullopt);  // it has all of it to catch up with
  end = (*store)->Head()->value;
  for (std::thread& follower : following) follower.join();

  const uint64_t events = static_cast<uint64_t>(wanted) / kWriters * kWriters;
  EXPECT_EQ(end, events);
  uint64_t handed_over = 0;
  uint64_t visits = 0;
  uint64_t of_groups = 0;
  for (const auto& follower : followers) {
    EXPECT_EQ(follower->wrong(), "");
    handed_over += follower->events();
    visits += follower->visits();
    if (follower->events() != events) of_groups += follower->events();
  }
  EXPECT_EQ(of_groups, events) << "each event is of one group, and each group has one follower";
  EXPECT_TRUE(eventstore::Fsck(**store, [](auto, auto, auto) {})->clean());
  evidence.Set("events", events);
  evidence.Set("commits", commits.load());
  evidence.Set("writers", kWriters);
  evidence.Set("followers", followers.size());
  evidence.Set("subscriptions", visits);
  evidence.Set("handed_over", handed_over);
  evidence.Set(
      "followers_that_missed_or_repeated",
      std::ranges::count_if(followers, [](const auto& follower) { return !follower->wrong().empty(); }));
  evidence.Set("seed", seed);
}

// What a reader can see by any method that the store has.
class Onlooker {
 public:
  explicit Onlooker(EventStore& store)
      : store_(store), subscription_(*store.Subscribe(Query::All(), Position(0))) {}

  uint64_t Highest() {
    uint64_t highest = store_.Head()->value;
    const auto note = [&](const EventView& event) {
      highest = std::max(highest, event.position.value);
      return true;
    };
    highest = std::max(highest, store_.Read(Query::All(), {.up_to = Position(1000)}, note)->value);
    highest = std::max(highest, store_.Read(Query{{{{}, {"all"}}}}, {.up_to = Position(1000)}, note)->value);
    EXPECT_TRUE(store_.Read(Query::All(), {.backwards = true}, note).ok());
    highest = std::max(highest, subscription_->Next(1000, absl::ZeroDuration(), note)->position.value);
    for (const char* id : {"b", "c", "d"}) {
      if (const auto commit = store_.FindCommit(id); commit.ok())
        highest = std::max(highest, commit->appended.last.value);
    }
    return highest;
  }

 private:
  EventStore& store_;
  std::unique_ptr<Subscription> subscription_;
};

AppendRequest OneEvent(const std::string& id) {
  AppendRequest request = Request(id);
  request.events.push_back({"type", {"all"}, absl::CivilDay(2026, 9, 1), id});
  return request;
}

class HeldCommitTest : public testing::Test {
 protected:
  HeldCommitTest()
      : disk_(folder_.log()), store_(*RocksEventStore::Open(SmallStore(folder_.log(), disk_.env()))) {
    Hush();
  }

  // Commit b waits for its sync, c and d wait behind it; a has long been there.
  void Hold() {
    ASSERT_TRUE(store_->AppendAndWait(OneEvent("a")).ok());
    disk_.HoldSyncs(".log");
    for (const std::string id : {"b", "c", "d"}) {
      store_->Append(OneEvent(id), [this](absl::StatusOr<Appended> answer) {
        const std::lock_guard lock(mutex_);
        answers_.push_back(std::move(answer));
      });
      if (id == "b") disk_.AwaitHeldSync();
    }
  }
  size_t Answered() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

  const ScratchFolder folder_;
  Disk disk_;
  std::mutex mutex_;
  std::vector<absl::StatusOr<Appended>> answers_;
  std::unique_ptr<RocksEventStore> store_;  // last, for it answers until it has gone
};

TEST_F(HeldCommitTest, NoReaderPassesAPositionThatItHasNotSeen) {
  Evidence evidence("held_commit");
  Hold();
  Onlooker onlooker(*store_);
  auto head_at = std::async(std::launch::async, [&] { return *store_->HeadAt(absl::Now()); });
  int looks = 0;
  for (const absl::Time end = absl::Now() + absl::Milliseconds(300); absl::Now() < end; ++looks) {
    EXPECT_EQ(onlooker.Highest(), 1u);
    if (HasFailure()) break;  // and let the sync go, which others wait for
  }
  EXPECT_EQ(Answered(), 0u);
  disk_.LetSyncsGo();
  // Asked for an instant that the held commit may be recorded by, it must not say that there is none such.
  EXPECT_GE(head_at.get().value, 2u);
  uint64_t seen = 0;
  const auto subscription = *store_->Subscribe(Query::All(), Position(0));
  while (seen < 4) {
    const auto progress = subscription->Next(10, absl::Seconds(10), [&](const EventView& event) {
      EXPECT_EQ(event.position.value, ++seen);
      EXPECT_EQ(event.commit_id, std::string(1, static_cast<char>('a' + seen - 1)));
      return true;
    });
    ASSERT_TRUE(progress.ok()) << progress.status();
    ASSERT_EQ(progress->position.value, seen);
  }
  EXPECT_TRUE(eventstore::Fsck(*store_, [](auto, auto, auto) {})->clean());
  evidence.Set("looks", looks);
}

TEST_F(HeldCommitTest, WhatNobodyCouldSeeMayGoWithThePower) {
  Hold();
  Onlooker onlooker(*store_);
  const uint64_t seen = onlooker.Highest();
  disk_.CutPower(Disk::Death::kSilent);
  store_.reset();
  std::mt19937 random(1);
  disk_.LosePower(Loss::kAll, random);
  store_ = *RocksEventStore::Open(SmallStore(folder_.log(), disk_.env()));
  EXPECT_EQ(store_->Head()->value, seen);
  EXPECT_TRUE(eventstore::Fsck(*store_, [](auto, auto, auto) {})->clean());
  EXPECT_EQ(store_->AppendAndWait(OneEvent("b"))->first, Position(2));
}

// Which keeps memory of its own for all that is ever touched. Clang and GCC tell it differently.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

TEST(StuckFollowerTest, AFollowerThatStopsReadingHoldsUpNobodyAndCostsNoMemory) {
  Hush();
  Evidence evidence("stuck_follower");
  const auto resident_kib = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
    }
    return 0ll;
  };
  const int64_t commits = Amount("QINGLAN_FAULT_STUCK_COMMITS", 240);
  const ScratchFolder folder;
  const auto store = RocksEventStore::Open(SmallStore(folder.log()));
  const auto append = [&](int64_t n) {
    AppendRequest request = OneEvent(fmt::format("commit {}", n));
    request.events[0].payload = std::string(kStuckPayloadBytes, 'x');
    ASSERT_TRUE((*store)->AppendAndWait(std::move(request)).ok());
  };
  append(0);
  std::promise<void> stuck;
  std::promise<void> go_on;
  auto follower = std::async(std::launch::async, [&] {
    uint64_t met = 0;
    const auto subscription = *(*store)->Subscribe(Query::All(), Position(0));
    while (met < static_cast<uint64_t>(commits) + 1) {
      const auto progress = subscription->Next(100, absl::Seconds(10), [&](const EventView& event) {
        EXPECT_EQ(event.position.value, ++met);
        if (met == 1) {
          stuck.set_value();
          go_on.get_future().wait();
        }
        return true;
      });
      if (!progress.ok()) return met;
    }
    return met;
  });
  stuck.get_future().wait();
  for (int64_t n = 1; n <= commits / 4; ++n) append(n);  // until buffers are as large as they get
  const long long before = resident_kib();
  for (int64_t n = commits / 4 + 1; n <= commits; ++n) append(n);
  const long long grown = resident_kib() - before;
  go_on.set_value();
  EXPECT_EQ(follower.get(), static_cast<uint64_t>(commits) + 1);  // each acknowledged one, once and in order
  EXPECT_EQ((*store)->Head()->value, static_cast<uint64_t>(commits) + 1);
  EXPECT_TRUE(eventstore::Fsck(**store, [](auto, auto, auto) {})->clean());
  if (!kSanitized) {
    EXPECT_LT(grown, 16 * 1024) << "KiB, while three quarters of " << commits * kStuckPayloadBytes / 1000
                                << " kB went by";
  }
  evidence.Set("written_kb_while_stuck", commits * kStuckPayloadBytes / 1000);
  evidence.Set("memory_grown_kib", grown);
}

}  // namespace
}  // namespace qinglan::fault
