// A disk that is full: appends are refused and nothing else is, and they go on by themselves when there is
// room.
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

#include "eventstore/rocks/backup/create.h"
#include "eventstore/rocks/backup/verify.h"
#include "eventstore/rocks/fsck.h"
#include "tests/fault/disk/disk.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::EventView;
using eventstore::Query;
using eventstore::RocksEventStore;

constexpr int64_t kRoundsInCi = 2;
constexpr absl::Duration kRecoveryMax = absl::Seconds(60);
constexpr int64_t kOpeningsARound = 5;
constexpr uint64_t kOpeningRoomMax = 20'000;
constexpr uint64_t kWorkingRoomBytes = 64 * 1024 * 1024;  // what the store is promised to do with

class FullDiskTest : public testing::Test {
 protected:
  FullDiskTest() { Hush(); }

  void Write(RocksEventStore& store, const std::string& run) {
    Workload workload(store, ledger_, {run, 4, static_cast<uint32_t>(random_()), ledger_.Unknown()});
    absl::SleepFor(absl::Milliseconds(1 + random_() % 100));
  }

  // Appends until it is refused.
  void ExpectRefusal(RocksEventStore& store, const std::string& run) {
    const absl::Time patience = absl::Now() + kRecoveryMax;
    absl::Status refused;
    for (uint64_t n = 1; refused.ok() && absl::Now() < patience; ++n) {
      const std::string id = CommitId(run, 0, n);
      if (IsCounter(id)) continue;
      ledger_.Asked(id);
      const auto answer = store.AppendAndWait(PlainRequest(id));
      ledger_.Answered(id, answer);
      refused = answer.status();
    }
    EXPECT_TRUE(absl::IsResourceExhausted(refused) || absl::IsUnavailable(refused)) << refused;
  }

  void ExpectRecovery(RocksEventStore& store, const std::string& id) {
    const absl::Time patience = absl::Now() + kRecoveryMax;
    absl::StatusOr<eventstore::Appended> answer = absl::UnavailableError("not asked");
    ledger_.Asked(id);
    while (!answer.ok() && absl::Now() < patience) {
      answer = store.AppendAndWait(PlainRequest(id));
      if (!answer.ok()) absl::SleepFor(absl::Milliseconds(50));
    }
    ledger_.Answered(id, answer);
    EXPECT_TRUE(answer.ok()) << "there is room again: " << answer.status();
  }

  // One life of a store, whose disk is full in the middle of it.
  void FillAndRecover(RocksEventStore& store, const std::string& run,
                      const std::function<void(bool full)>& set_full) {
    {
      Workload workload(store, ledger_, {run, 4, static_cast<uint32_t>(random_()), ledger_.Unknown()});
      absl::SleepFor(absl::Milliseconds(1 + random_() % 100));
      set_full(true);
      ExpectRefusal(store, run + "-full");
      uint64_t met = 0;  // readers do not suffer
      const auto read = store.Read(Query::All(), {}, [&](const EventView& event) {
        EXPECT_EQ(event.position.value, ++met);
        return true;
      });
      EXPECT_TRUE(read.ok()) << read.status();
      absl::SleepFor(absl::Milliseconds(1 + random_() % 200));
    }
    ExpectSound(store, ledger_);
    set_full(false);
    ExpectRecovery(store, CommitId(run + "-again", 0, 1));
    Write(store, run + "-on");
    findings_ = ExpectSound(store, ledger_);
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_{seed_};
  const int64_t rounds_ = Amount("QINGLAN_FAULT_FULL_ROUNDS", kRoundsInCi);
  Ledger ledger_;
  Findings findings_;
};

TEST_F(FullDiskTest, AFullDiskStopsAppendsAloneAndTheyGoOnWhenThereIsRoom) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("full_disk");
  const ScratchFolder folder;
  Disk disk(folder.log());
  const auto open = [&] { return RocksEventStore::Open(SmallStore(folder.log(), disk.env())); };
  for (int64_t round = 0; round < rounds_ && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    {
      const auto store = open();
      ASSERT_TRUE(store.ok()) << store.status();
      FillAndRecover(**store, fmt::format("r{}", round), [&](bool full) {
        disk.SetRoom(disk.used() + (full ? random_() % 100'000 : kWorkingRoomBytes));
      });
      evidence.Add(findings_);
      disk.CutPower(Disk::Death::kSilent);
    }
    disk.LosePower(Loss::kAll, random_);
    const auto store = open();
    ASSERT_TRUE(store.ok()) << store.status();
    evidence.Add(ExpectSound(**store, ledger_));
  }
  evidence.Set("rounds", rounds_);
  evidence.Set("seed", seed_);
  evidence.Set("refused_writes", disk.failures());
  evidence.Set("acknowledged_commits", ledger_.acknowledged());
}

// RocksDB flushes one family after the other then, and writes again to its log what it could not write.
TEST_F(FullDiskTest, ACutOfPowerWhileItRecoversTakesNothing) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  constexpr uint64_t kAtOnce = 2500;  // commits that become one write or two, of more than a megabyte
  constexpr uint64_t kChangesMax = 80;
  Evidence evidence("power_loss_while_recovering");
  for (int64_t round = 0; round < 2 * rounds_ && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const ScratchFolder folder;
    Disk disk(folder.log());
    Ledger ledger;
    const auto append = [&](RocksEventStore& store, const std::string& id) {
      ledger.Asked(id);
      store.Append(PlainRequest(id), [&, id](const absl::StatusOr<eventstore::Appended>& answer) {
        if (!disk.dead()) ledger.Answered(id, answer);
      });
    };
    {
      const auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
      ASSERT_TRUE(store.ok()) << store.status();
      const auto append_many = [&](const std::string& run) {
        for (uint64_t n = 1; n <= kAtOnce; ++n) {
          const std::string id = CommitId(run, 0, n);
          if (!IsCounter(id)) append(**store, id);
        }
        (void)(*store)->AppendAndWait(PlainRequest(CommitId(run, 1, 1)));  // answered after all of them
      };
      ledger.Asked(CommitId("before", 1, 1));
      append_many("before");
      disk.SetRoom(disk.used() + random_() % 1'500'000);
      ledger.Asked(CommitId("full", 1, 1));
      append_many("full");
      disk.SetRoom(disk.used() + kWorkingRoomBytes);
      disk.CutPowerAfter(random_() % kChangesMax, Disk::Death::kSilent);
      const absl::Time patience = absl::Now() + kRecoveryMax;
      for (uint64_t n = 1; !disk.dead() && absl::Now() < patience; ++n) {
        const std::string id = CommitId("again", 0, n);
        if (!IsCounter(id)) append(**store, id);
        absl::SleepFor(absl::Milliseconds(5));
      }
      EXPECT_TRUE(disk.dead());
    }
    disk.LosePower(round % 2 == 0 ? Loss::kAll : Loss::kNothing, random_);
    disk.SetRoom(std::nullopt);
    const auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
    ASSERT_TRUE(store.ok()) << store.status();
    evidence.Add(ExpectSound(**store, ledger));
  }
  evidence.Set("rounds", 2 * rounds_);
  evidence.Set("seed", seed_);
}

// Nothing is in memory then that RocksDB could flush, which is how it gets rid of a write-ahead log that it
// could not write to.
TEST_F(FullDiskTest, AStoreThatWasOpenedOnAFullDiskGoesOnWhenThereIsRoom) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("opened_on_full_disk");
  const ScratchFolder folder;
  Disk disk(folder.log());
  const auto open = [&] { return RocksEventStore::Open(SmallStore(folder.log(), disk.env())); };
  int64_t opened = 0;
  for (int64_t round = 0; round < rounds_ * kOpeningsARound && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    disk.SetRoom(disk.used() + kWorkingRoomBytes);
    {
      const auto store = open();
      ASSERT_TRUE(store.ok()) << store.status();
      Write(**store, fmt::format("r{}-before", round));
    }
    disk.SetRoom(disk.used() + random_() % kOpeningRoomMax);
    auto store = open();
    if (!store.ok()) {  // it needs some room, too
      EXPECT_TRUE(absl::IsResourceExhausted(store.status()) || absl::IsUnavailable(store.status()))
          << store.status();
      continue;
    }
    ++opened;
    ExpectRefusal(**store, fmt::format("r{}-full", round));
    disk.SetRoom(disk.used() + kWorkingRoomBytes);
    ExpectRecovery(**store, CommitId(fmt::format("r{}-again", round), 0, 1));
    Write(**store, fmt::format("r{}-on", round));
    evidence.Add(ExpectSound(**store, ledger_));
  }
  EXPECT_GT(opened, 0);
  evidence.Set("opened", opened);
  evidence.Set("seed", seed_);
  evidence.Set("acknowledged_commits", ledger_.acknowledged());
}

// There is too much of the write-ahead log about there, and each write fills a memtable, so that all of them
// are new when the disk has no room for the first write to a new log.
TEST_F(FullDiskTest, AWriteThatIsTheFirstInItsWriteAheadLogIsRefusedAndNoMore) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  constexpr uint64_t kPayloadBytes = 100'000;
  constexpr uint64_t kFirst = 4;  // of so many writes, the one that is refused: the limit lies between
  constexpr uint64_t kLast = 9;
  int refusals = 0;
  for (uint64_t at = kFirst; at <= kLast && !HasFailure(); ++at) {
    SCOPED_TRACE(fmt::format("write {}", at));
    const ScratchFolder folder;
    Disk disk(folder.log());
    Ledger ledger;
    const auto store = RocksEventStore::Open(SmallStore(folder.log(), disk.env()));
    ASSERT_TRUE(store.ok()) << store.status();
    const auto append = [&](uint64_t n) {
      auto request = PlainRequest(CommitId(fmt::format("w{}", at), 0, n));
      request.events.resize(1);
      request.events.front().payload = std::string(kPayloadBytes, 'x');
      return (*store)->AppendAndWait(std::move(request)).status();
    };
    for (uint64_t n = 1; n < at; ++n) ASSERT_TRUE(append(n).ok());
    disk.SetRoom(disk.used());
    const absl::Status refused = append(at);
    // A log that is let go of meanwhile may leave room for it after all.
    EXPECT_TRUE(refused.ok() || absl::IsResourceExhausted(refused) || absl::IsUnavailable(refused))
        << refused;
    refusals += refused.ok() ? 0 : 1;
    disk.SetRoom(disk.used() + kWorkingRoomBytes);
    absl::Status again = refused;
    for (const absl::Time patience = absl::Now() + kRecoveryMax; !again.ok() && absl::Now() < patience;) {
      again = append(at);
      if (!again.ok()) absl::SleepFor(absl::Milliseconds(50));
    }
    EXPECT_TRUE(again.ok()) << again;
    for (uint64_t n = at + 1; n < 2 * kLast; ++n) EXPECT_TRUE(append(n).ok());
    EXPECT_EQ((*store)->Head()->value, 2 * kLast - 1);
    EXPECT_TRUE(eventstore::Fsck(**store, [](auto, auto, auto) {})->clean());
  }
  EXPECT_GT(refusals, 0);
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

void ExpectSoundBackup(const RocksEventStore& store, const std::string& directory) {
  const auto backups = eventstore::BackupDirectory::OpenForWriting(directory);
  ASSERT_TRUE(backups.ok()) << backups.status();
  const auto go_on = [](auto&&...) { return true; };
  const auto created = eventstore::CreateBackup(store, **backups, {}, go_on);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->manifest.head, *store.Head());
  const auto verified = eventstore::VerifyBackup(**backups, created->manifest.generation,
                                                 eventstore::TrialDirectory(**backups), go_on);
  ASSERT_TRUE(verified.ok()) << verified.status();
  for (const std::string& problem : verified->problems) ADD_FAILURE() << problem;
}

TEST_F(FullDiskTest, AFullFileSystemStopsAppendsAlone) {
  const SmallFileSystem small;
  if (!small.mounted()) GTEST_SKIP() << "not root: no file system can be mounted";
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("full_file_system");
  const std::string ballast = small.path() + "/ballast";
  const ScratchFolder elsewhere;
  for (int64_t round = 0; round < rounds_ && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const auto store = RocksEventStore::Open(SmallStore(small.path() + "/log"));
    ASSERT_TRUE(store.ok()) << store.status();
    FillAndRecover(**store, fmt::format("r{}", round), [&](bool full) {
      std::filesystem::remove(ballast);
      const uint64_t left = random_() % 500'000;
      std::ofstream out(ballast, std::ios::binary);
      const std::string chunk(64 * 1024, 'b');
      while (full && out && std::filesystem::space(small.path()).available > left)
        out.write(chunk.data(), 64 * 1024).flush();
    });
    evidence.Add(findings_);
    // RocksDB goes on believing that it has stopped, and does not wait for flushes; a backup is whole even
    // so.
    ExpectSoundBackup(**store, elsewhere.path() + "/backups");
  }
  evidence.Set("rounds", rounds_);
  evidence.Set("seed", seed_);
  evidence.Set("acknowledged_commits", ledger_.acknowledged());
}

}  // namespace
}  // namespace qinglan::fault
