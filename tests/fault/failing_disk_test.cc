// A disk that gives errors: a sync that fails once, a read that fails while a condition is being checked.
// What was acknowledged stays, what was refused is not there, and nothing is there in part.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "eventstore/rocks/fsck.h"
#include "tests/fault/disk/disk.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using absl::StatusCode;
using eventstore::AppendCondition;
using eventstore::AppendRequest;
using eventstore::Position;
using eventstore::Query;
using eventstore::RocksEventStore;

constexpr int64_t kSyncRoundsInCi = 8;
constexpr int kAccessesMax = 60;  // to tables, of one append

void Sleep(std::mt19937& random, int most_millis) {
  absl::SleepFor(absl::Milliseconds(1 + random() % static_cast<uint32_t>(most_millis)));
}

// A sync fails once and the disk forgets what it should have written, as Linux does: a later sync succeeds
// and means nothing. The store must not believe it.
TEST(FailedSyncTest, ASyncThatFailsOnceIsNeverTakenForDone) {
  Hush();
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const int64_t rounds = Amount("QINGLAN_FAULT_SYNC_ROUNDS", kSyncRoundsInCi);
  Evidence evidence("failed_sync");
  uint64_t acknowledged = 0;
  uint64_t failures = 0;
  for (int64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    const std::string file = std::vector<std::string>{".log", ".log", ".sst", "MANIFEST"}[round % 4];
    SCOPED_TRACE(fmt::format("round {}, a sync of {}", round, file));
    const ScratchFolder folder;
    Disk disk(folder.log());
    Ledger ledger;
    {
      auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
      ASSERT_TRUE(store.ok()) << store.status();
      Workload workload(**store, ledger, {"before", 4, static_cast<uint32_t>(random()), {}});
      Sleep(random, 100);
      disk.FailSyncs(file, 1);
      Sleep(random, 100);
      workload.Stop();
      ExpectSound(**store, ledger);  // it may refuse appends by now; it must not show what it is not sure of
    }
    failures += disk.failures();
    disk.FailSyncs(file, 0);
    {  // Whether what failed is there now, a new start must be sure of it before it says so.
      auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
      ASSERT_TRUE(store.ok()) << store.status();
      Workload workload(**store, ledger, {"after", 4, static_cast<uint32_t>(random()), ledger.Unknown()});
      Sleep(random, 100);
      workload.Stop();
      disk.CutPower(Disk::Death::kSilent);
    }
    disk.LosePower(Loss::kAll, random);
    auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
    ASSERT_TRUE(store.ok()) << store.status();
    const Findings findings = ExpectSound(**store, ledger);
    evidence.Add(findings);
    acknowledged += findings.acknowledged;
  }
  EXPECT_GT(failures, 0u) << "no sync failed";
  evidence.Set("rounds", rounds);
  evidence.Set("failed_syncs", failures);
  evidence.Set("acknowledged_commits", acknowledged);
  evidence.Set("seed", seed);
}

AppendRequest OneEvent(const std::string& id, const std::string& tag) {
  AppendRequest request;
  request.commit_id = request.fingerprint = id;
  request.actor = "writer";
  request.events.push_back({"type", {tag}, absl::CivilDay(2026, 9, 1), std::string(500, 'x')});
  return request;
}

// The condition is broken by an event deep in the log; what looks for it fails at its first, its second ...
// access to the disk. It is looked for twice: when the asking thread's look fails, the writer looks itself,
// and finds the conflict; when the writer's fails, the append is refused.
TEST(FailedReadTest, AConditionThatCannotBeReadIsNeverTakenForHolding) {
  Hush();
  Evidence evidence("failed_read_in_condition");
  const ScratchFolder folder;
  Disk disk(folder.log());
  RocksEventStore::Options options = SmallStore(folder.log(), disk.env());
  options.cache_bytes = 0;
  const auto fill = [&] {
    auto store = RocksEventStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int n = 0; n < 3000; n += 50) {
      AppendRequest request = OneEvent(fmt::format("c-{}", n), fmt::format("n:{}", n));
      for (int i = 1; i < 50; ++i)
        request.events.push_back(OneEvent("", fmt::format("n:{}", n + i)).events[0]);
      ASSERT_TRUE((*store)->AppendAndWait(std::move(request)).ok());
    }
  };
  fill();
  int refused = 0;
  int attempts = 0;
  for (bool struck = true; struck && attempts < kAccessesMax; ++attempts) {
    SCOPED_TRACE(fmt::format("access {}", attempts));
    auto store = RocksEventStore::Open(options);  // with nothing in its cache
    ASSERT_TRUE(store.ok()) << store.status();
    const Position head = *(*store)->Head();
    AppendRequest request = OneEvent(fmt::format("new-{}", attempts), "new");
    request.condition = AppendCondition{Query{{{{}, {"n:7"}}}}, Position(0)};
    const uint64_t before = disk.failures();
    disk.FailReadsAfter(".sst", static_cast<uint64_t>(attempts), 1);
    const auto answer = (*store)->AppendAndWait(request);
    disk.FailReadsAfter(".sst", 0, 0);
    struck = disk.failures() > before;
    // A filter that cannot be read is done without: the conflict is found even so.
    if (answer.status().code() != StatusCode::kAborted) {
      ++refused;
      EXPECT_TRUE(struck);
      EXPECT_TRUE(absl::IsUnavailable(answer.status()) || absl::IsDataLoss(answer.status()))
          << answer.status();
    }
    EXPECT_EQ(*(*store)->Head(), head);
    EXPECT_EQ((*store)->FindCommit(request.commit_id).status().code(), StatusCode::kNotFound);
    EXPECT_EQ((*store)->AppendAndWait(request).status().code(), StatusCode::kAborted)
        << "the disk is well again";
    EXPECT_TRUE((*store)->AppendAndWait(OneEvent(fmt::format("more-{}", attempts), "more")).ok());
    EXPECT_TRUE(eventstore::Fsck(**store, [](auto, auto, auto) {})->clean());
  }
  EXPECT_GT(refused, 0) << "no read of the condition met the disk";
  EXPECT_LT(attempts, kAccessesMax) << "with none of its accesses failing, the append is over";
  evidence.Set("attempts", attempts);
  evidence.Set("refused", refused);
}

}  // namespace
}  // namespace qinglan::fault
