// A disk that gives errors: a sync that fails once, a read that fails while a condition is being checked, no
// room. What was acknowledged stays, what was refused is not there, and nothing is there in part.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
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
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::RocksEventStore;

constexpr int64_t kSyncRoundsInCi = 8;
constexpr int64_t kFullRoundsInCi = 2;
constexpr int kAccessesMax = 60;  // to tables, of one append
constexpr absl::Duration kRecoveryMax = absl::Seconds(60);
constexpr uint64_t kWorkingRoomBytes = 64 * 1024 * 1024;  // what the store is promised to do with

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

// The condition is broken by an event deep in the log; the read that should find it fails at its first, its
// second ... access to the disk.
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

// Fills up what room there is, by a quota or on a small file system of its own.
void FillAndRecover(const RocksEventStore::Options& options, const std::string& run, Ledger& ledger,
                    std::mt19937& random, Evidence& evidence,
                    const std::function<void(bool full)>& set_full) {
  auto store = RocksEventStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  {
    Workload workload(**store, ledger, {run, 4, static_cast<uint32_t>(random()), ledger.Unknown()});
    Sleep(random, 100);
    set_full(true);
    const absl::Time patience = absl::Now() + kRecoveryMax;
    absl::Status refused;
    for (uint64_t n = 1; refused.ok() && absl::Now() < patience; ++n) {
      const std::string id = CommitId(run + "-full", 0, n);
      if (IsCounter(id)) continue;
      ledger.Asked(id);
      const auto answer = (*store)->AppendAndWait(PlainRequest(id));
      ledger.Answered(id, answer);
      refused = answer.status();
    }
    EXPECT_TRUE(absl::IsResourceExhausted(refused) || absl::IsUnavailable(refused)) << refused;
    // Readers do not suffer.
    uint64_t met = 0;
    const auto read = (*store)->Read(Query::All(), {}, [&](const EventView& event) {
      EXPECT_EQ(event.position.value, ++met);
      return true;
    });
    EXPECT_TRUE(read.ok()) << read.status();
    Sleep(random, 200);
  }
  ExpectSound(**store, ledger);
  set_full(false);
  const absl::Time patience = absl::Now() + kRecoveryMax;
  const std::string id = CommitId(run + "-again", 0, 1);
  absl::StatusOr<eventstore::Appended> answer = absl::UnavailableError("not asked");
  ledger.Asked(id);
  while (!answer.ok() && absl::Now() < patience) {
    answer = (*store)->AppendAndWait(PlainRequest(id));
    if (!answer.ok()) absl::SleepFor(absl::Milliseconds(50));
  }
  ledger.Answered(id, answer);
  EXPECT_TRUE(answer.ok()) << "there is room again: " << answer.status();
  Workload workload(**store, ledger, {run + "-on", 4, static_cast<uint32_t>(random()), ledger.Unknown()});
  Sleep(random, 100);
  workload.Stop();
  evidence.Add(ExpectSound(**store, ledger));
}

TEST(FullDiskTest, AFullDiskStopsAppendsAloneAndTheyGoOnWhenThereIsRoom) {
  Hush();
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const int64_t rounds = Amount("QINGLAN_FAULT_FULL_ROUNDS", kFullRoundsInCi);
  Evidence evidence("full_disk");
  const ScratchFolder folder;
  Disk disk(folder.log());
  Ledger ledger;
  for (int64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    FillAndRecover(
        SmallStore(folder.log(), disk.env()), fmt::format("r{}", round), ledger, random, evidence,
        [&](bool full) { disk.SetRoom(disk.used() + (full ? random() % 100'000 : kWorkingRoomBytes)); });
    disk.CutPower(Disk::Death::kSilent);
    disk.LosePower(Loss::kAll, random);
    const auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
    ASSERT_TRUE(store.ok()) << store.status();
    evidence.Add(ExpectSound(**store, ledger));
  }
  evidence.Set("rounds", rounds);
  evidence.Set("seed", seed);
  evidence.Set("refused_writes", disk.failures());
  evidence.Set("acknowledged_commits", ledger.acknowledged());
}

// A file system of its own, in memory, which only root may make. What it says with everybody is said by the
// test above; this one adds the kernel's own way of being full.
class SmallFileSystem {
 public:
  SmallFileSystem() : mounted_(mount("qinglan-fault", folder_.path().c_str(), "tmpfs", 0, kSize) == 0) {}
  ~SmallFileSystem() {
    if (mounted_) (void)umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;
  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }

 private:
  static constexpr char kSize[] = "size=64m";
  const ScratchFolder folder_;
  const bool mounted_;
};

TEST(FullDiskTest, AFullFileSystemStopsAppendsAlone) {
  const SmallFileSystem small;
  if (!small.mounted()) GTEST_SKIP() << "not root: no file system can be mounted";
  Hush();
  const uint32_t seed = Seed();
  std::mt19937 random(seed);
  const int64_t rounds = Amount("QINGLAN_FAULT_FULL_ROUNDS", kFullRoundsInCi);
  Evidence evidence("full_file_system");
  Ledger ledger;
  const std::string ballast = small.path() + "/ballast";
  const std::string log = small.path() + "/log";
  for (int64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    FillAndRecover(SmallStore(log), fmt::format("r{}", round), ledger, random, evidence, [&](bool full) {
      std::filesystem::remove(ballast);
      const uint64_t left = random() % 500'000;
      std::ofstream out(ballast, std::ios::binary);
      const std::string chunk(64 * 1024, 'b');
      while (full && out && std::filesystem::space(small.path()).available > left)
        out.write(chunk.data(), 64 * 1024).flush();
    });
    std::filesystem::remove(ballast);
  }
  evidence.Set("rounds", rounds);
  evidence.Set("seed", seed);
  evidence.Set("acknowledged_commits", ledger.acknowledged());
}

}  // namespace
}  // namespace qinglan::fault
