// What every fault test ends in: fsck finds the store sound, and the ledger finds in it what it must hold.
#pragma once

#include <string>

#include "eventstore/rocks/rocks_event_store.h"
#include "tests/fault/load/ledger.h"

namespace qinglan::fault {

// A new folder of the system's for temporary files, gone at the end.
class ScratchFolder {
 public:
  // kMemory: on a file system in memory when there is one, for tests to which the real disk adds nothing but
  // its waits.
  enum class Where { kDisk, kMemory };
  explicit ScratchFolder(Where where = Where::kDisk);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  // For a store: not made yet, so that its making can be interrupted, too.
  std::string log() const { return path_ + "/log"; }
  const std::string& path() const { return path_; }
  // Makes it empty again.
  void Clear() const;

 private:
  std::string path_;
};

// A store with small buffers, so that a short test reaches flushes and compactions.
eventstore::RocksEventStore::Options SmallStore(std::string directory, rocksdb::Env* env = nullptr);

// Keeps the errors that a test provokes out of its output, unless QINGLAN_FAULT_VERBOSE is set.
void Hush();

// Fails the test with what is wrong.
Findings ExpectSound(const eventstore::RocksEventStore& store, const Ledger& ledger);

}  // namespace qinglan::fault
