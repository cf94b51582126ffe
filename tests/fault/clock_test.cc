// A clock that jumps back and far ahead, under load and over restarts: recorded_at never goes back, and what
// HeadAt() once said of an instant it says for ever.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <iterator>
#include <map>
#include <random>

#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::EventView;
using eventstore::Query;
using eventstore::RocksEventStore;

constexpr int64_t kRoundsInCi = 4;

// Thread-safe.
class WildClock {
 public:
  void Jump(std::mt19937& random) {
    static constexpr absl::Duration kJumps[] = {absl::Microseconds(3), absl::Seconds(5), absl::Hours(1),
                                                absl::Hours(24 * 365)};
    const absl::Duration jump = kJumps[random() % std::size(kJumps)];
    now_ += (random() % 2 == 0 ? 1 : -1) * absl::ToInt64Microseconds(jump);
  }
  absl::Time Now() { return absl::FromUnixMicros(now_ += 1); }

 private:
  std::atomic<int64_t> now_ = absl::ToUnixMicros(absl::Now());
};

TEST(ClockTest, WhateverTheClockDoesTheLogsTimeGoesOnAndHeadAtIsFinal) {
  Hush();
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const int64_t rounds = Amount("QINGLAN_FAULT_CLOCK_ROUNDS", kRoundsInCi);
  Evidence evidence("clock");
  const ScratchFolder folder;
  Ledger ledger;
  WildClock clock;
  int jumps = 0;
  size_t asked = 0;
  for (int64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    RocksEventStore::Options options = SmallStore(folder.log());
    options.clock = [&] { return clock.Now(); };
    const auto store = RocksEventStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    Workload workload(**store, ledger, {fmt::format("r{}", round), 4, static_cast<uint32_t>(random()), {}});
    // Of one life: what was asked past the last event is not remembered when the clock is put back meanwhile.
    std::map<absl::Time, uint64_t> answers;  // of HeadAt() about instants that were over
    for (int i = 0; i < 30; ++i, ++jumps) {
      const absl::Time instant = clock.Now() - absl::Microseconds(random() % 1000);
      const uint64_t head_at = (*store)->HeadAt(instant)->value;
      const auto [known, is_new] = answers.emplace(instant, head_at);
      EXPECT_TRUE(is_new || known->second == head_at) << instant;
      clock.Jump(random);
      absl::SleepFor(absl::Milliseconds(2));
    }
    workload.Stop();
    asked += answers.size();
    evidence.Add(ExpectSound(**store, ledger));  // fsck looks at the times
    absl::Time last = absl::InfinitePast();
    std::map<absl::Time, uint64_t> ends;  // time -> the last position recorded then
    const auto read = (*store)->Read(Query::All(), {}, [&](const EventView& event) {
      EXPECT_GE(event.recorded_at, last);
      last = event.recorded_at;
      ends[last] = event.position.value;
      return true;
    });
    ASSERT_TRUE(read.ok()) << read.status();
    for (const auto& [instant, position] : answers) {
      const auto after = ends.upper_bound(instant);
      EXPECT_EQ(position, after == ends.begin() ? 0 : std::prev(after)->second) << instant;
      EXPECT_EQ((*store)->HeadAt(instant)->value, position) << instant;
    }
  }
  evidence.Set("rounds", rounds);
  evidence.Set("jumps", jumps);
  evidence.Set("instants_asked_for", asked);
  evidence.Set("acknowledged_commits", ledger.acknowledged());
  evidence.Set("seed", seed);
}

}  // namespace
}  // namespace qinglan::fault
