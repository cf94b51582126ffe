// The power goes at random instants under load, on a disk that loses what was not synced: all of it, a part,
// a part that ends in garbage, sectors here and there, or its bytes but not its length. What was
// acknowledged is there, whole.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "tests/fault/disk/disk.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::RocksEventStore;

constexpr int64_t kRoundsInCi = 10;  // of each kind of loss
constexpr int kRoundsOfOneLog = 15;
constexpr uint64_t kAnswersMax = 120;                   // of a life
constexpr absl::Duration kLifeMax = absl::Seconds(20);  // on a machine that is busy with other things
constexpr uint32_t kLoudEvery = 8;      // rounds; RocksDB sits still for a second after each error
constexpr uint64_t kChangesMax = 2000;  // a file system's; some fifty make a store

// Believes no answer that came after the end.
class UntilTheEnd final : public Witness {
 public:
  UntilTheEnd(Ledger& ledger, const Disk& disk) : ledger_(ledger), disk_(disk) {}
  void Asked(const std::string& id) override { ledger_.Asked(id); }
  void Answered(const std::string& id, const absl::StatusOr<eventstore::Appended>& answer) override {
    if (!disk_.dead()) ledger_.Answered(id, answer);
    ++answers_;
  }
  uint64_t answers() const { return answers_; }

 private:
  Ledger& ledger_;
  const Disk& disk_;
  std::atomic<uint64_t> answers_ = 0;
};

class PowerTest : public testing::TestWithParam<Loss> {
 protected:
  // One life of the store: opened, written to, and cut off.
  void LiveAndDie(Disk& disk, const std::string& directory, const std::string& run, Ledger& ledger) {
    const Disk::Death death = random_() % kLoudEvery == 0 ? Disk::Death::kLoud : Disk::Death::kSilent;
    const bool by_answers = random_() % 2 == 0;
    if (!by_answers) disk.CutPowerAfter(random_() % (1 + random_() % kChangesMax), death);
    auto store = RocksEventStore::Open(SmallStore(directory, disk.env()));
    if (!store.ok()) {  // the power went while it was being opened
      EXPECT_TRUE(disk.dead()) << store.status();
      return;
    }
    UntilTheEnd witness(ledger, disk);
    std::atomic<bool> gone = false;
    std::thread reader([&] {
      while (!gone) {
        const uint64_t head = (*store)->Head()->value;
        if (!disk.dead()) seen_ = std::max(seen_, head);
        absl::SleepFor(absl::Microseconds(50));
      }
    });
    Workload workload(**store, witness, {run, 4, static_cast<uint32_t>(random_()), ledger.Unknown()});
    const uint64_t enough = witness.answers() + random_() % (1 + random_() % kAnswersMax);
    const absl::Time end = absl::Now() + kLifeMax;
    while (!disk.dead() && absl::Now() < end && (!by_answers || witness.answers() < enough))
      absl::SleepFor(absl::Microseconds(100));
    disk.CutPower(death);
    workload.Stop();
    gone = true;
    reader.join();
  }

  std::mt19937 random_;
  uint64_t seen_ = 0;  // the highest head that a reader was shown
};

TEST_P(PowerTest, WhatWasAcknowledgedOutlivesALossOfPower) {
  const uint32_t seed = Seed();
  random_.seed(seed);
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Hush();
  const int64_t rounds = Amount("QINGLAN_FAULT_POWER_ROUNDS", kRoundsInCi);
  Evidence evidence(fmt::format("power_loss_of_{}", NameOf(GetParam())));
  const ScratchFolder folder(ScratchFolder::Where::kMemory);
  auto ledger = std::make_unique<Ledger>();
  auto disk = std::make_unique<Disk>(folder.log());
  uint64_t lost = 0;
  uint64_t acknowledged = 0;
  for (int64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    if (round % kRoundsOfOneLog == 0) {
      disk.reset();
      folder.Clear();
      disk = std::make_unique<Disk>(folder.log());
      ledger = std::make_unique<Ledger>();
      seen_ = 0;
    }
    SCOPED_TRACE(fmt::format("the log is at {}", folder.log()));
    const uint64_t before = ledger->acknowledged();
    LiveAndDie(*disk, folder.log(), fmt::format("r{}", round), *ledger);
    acknowledged += ledger->acknowledged() - before;
    lost += disk->LosePower(GetParam(), random_);

    const auto store = RocksEventStore::Open(SmallStore(folder.log(), disk->env()));
    ASSERT_TRUE(store.ok()) << store.status();
    const Findings findings = ExpectSound(**store, *ledger);
    EXPECT_GE(findings.events, seen_) << "readers have seen what is gone now";
    evidence.Add(findings);
  }
  EXPECT_GT(acknowledged, static_cast<uint64_t>(rounds)) << "hardly anything was written";
  EXPECT_GT(lost, 0u) << "nothing was at stake";
  evidence.Set("rounds", rounds);
  evidence.Set("seed", seed);
  evidence.Set("acknowledged_commits", acknowledged);
  evidence.Set("unsynced_bytes_at_stake", lost);
}

// That the test above can fail: on a disk that only says that it has synced, commits that were acknowledged
// go with the power, and the check says which.
TEST(LyingDiskTest, ALossIsFoundOut) {
  Hush();
  std::mt19937 random(1);
  const ScratchFolder folder(ScratchFolder::Where::kMemory);
  Disk disk(folder.log());
  Ledger ledger;
  RocksEventStore::Options options = SmallStore(folder.log(), disk.env());
  options.small_buffers = false;  // all of it stays in the write-ahead log
  ASSERT_TRUE(RocksEventStore::Open(options).ok());
  disk.LieAboutSyncs(".log");
  {
    const auto store = RocksEventStore::Open(options);
    for (uint64_t n = 1; n <= 20; ++n) {
      const std::string id = CommitId("lost", 0, n);
      if (IsCounter(id)) continue;
      ledger.Asked(id);
      ledger.Answered(id, (*store)->AppendAndWait(PlainRequest(id)));
    }
    disk.CutPower(Disk::Death::kSilent);
  }
  ASSERT_GT(ledger.acknowledged(), 10u);
  disk.LosePower(Loss::kAll, random);
  const auto store = RocksEventStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  const Findings findings = ledger.Check(**store);
  EXPECT_EQ(findings.lost, ledger.acknowledged());
  EXPECT_FALSE(findings.wrongs.empty());
}

INSTANTIATE_TEST_SUITE_P(Loss, PowerTest, testing::ValuesIn(kLosses),
                         [](const auto& loss) { return std::string(NameOf(loss.param)); });

}  // namespace
}  // namespace qinglan::fault
