// A disk that does what disks do: loses what was not synced when the power goes, is full, gives errors, and
// takes its time to sync or to read. A file system for RocksDB, over real files in a folder of the real one.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "tests/fault/disk/held_read.h"
#include "tests/fault/disk/stable_storage.h"

namespace qinglan::fault {

// Thread-safe. Syncs are only pretended: the files are real, their loss is LosePower()'s. A store on it must
// be closed before LosePower() and before it goes.
class Disk {
 public:
  explicit Disk(const std::string& folder);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  rocksdb::Env* env() const { return env_.get(); }

  // The power goes: what is done from now on, or after `changes` more writes, syncs and changes of names, is
  // done for nothing. Loud: it fails, as when a disk is pulled out. Silent: it seems to be done, so that no
  // time is lost with errors; whoever believes an answer must first see that dead() is still false.
  enum class Death { kLoud, kSilent };
  void CutPower(Death death);
  void CutPowerAfter(uint64_t changes, Death death);
  bool dead() const;
  // What the cut took is taken away, and the disk works again. Returns how many written bytes it could take.
  uint64_t LosePower(Loss loss, std::mt19937& random);

  // Holds `bytes` in all; a write beyond is cut short there and fails for want of space. None: endless.
  void SetRoom(std::optional<uint64_t> bytes);
  uint64_t used() const;

  // The next `times` syncs of files whose names contain `name` fail, and what they should have synced never
  // will be, whatever a later sync says: as disks are known to do.
  void FailSyncs(std::string name, int times);
  // From now on syncs of files whose names end in `suffix` say that they are done and are not, until the
  // power was lost: what a store on it promises cannot be kept. To see that the tests can fail.
  void LieAboutSyncs(std::string suffix);
  // Of the reads from files whose names contain `name`, `times` fail, after `good` that do not. Those of
  // RocksDB's background work do not count.
  void FailReadsAfter(std::string name, uint64_t good, int times);
  uint64_t failures() const;  // that were given so far, for whatever reason

  // Syncs of files whose names end in `suffix` wait until LetSyncsGo().
  void HoldSyncs(std::string suffix);
  void AwaitHeldSync();
  void LetOneSyncGo();
  void LetSyncsGo();

  // Holds a read back.
  HeldRead& held_read() { return held_read_; }

 private:
  class Files;
  class WritableFile;
  class RandomFile;
  class ReadFile;
  class Folder;

  struct Fault {
    std::string name;
    uint64_t good = 0;
    int times = 0;
    bool Strikes(const std::string& path);
  };

  // The verdict on a change that is about to be made. Called with `mutex_` held.
  rocksdb::IOStatus Allow();
  void Die();
  rocksdb::IOStatus Sync(const std::string& path, Content& content);
  // How many of `length` further bytes there is room for.
  uint64_t RoomFor(const Content& content, uint64_t offset, uint64_t length) const;
  rocksdb::IOStatus AllowRead(const std::string& path);

  mutable std::mutex mutex_;
  std::condition_variable held_or_let_go_;
  StableStorage storage_;
  bool dead_ = false;
  Death death_ = Death::kLoud;
  std::optional<uint64_t> changes_left_;
  std::optional<uint64_t> room_;
  std::optional<std::string> lied_about_;  // suffix
  Fault sync_fault_;
  Fault read_fault_;
  uint64_t failures_ = 0;
  std::optional<std::string> held_;  // suffix
  int waiting_ = 0;
  int let_go_ = 0;  // of those, or of the next ones
  HeldRead held_read_;

  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace qinglan::fault
