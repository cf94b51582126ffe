#include "tests/fault/load/soundness.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "eventstore/rocks/database.h"
#include "eventstore/rocks/fsck.h"

namespace qinglan::fault {

using eventstore::RocksEventStore;

namespace {
constexpr size_t kCacheBytes = 8 * 1024 * 1024;
constexpr char kMemoryFolder[] = "/dev/shm";

std::string TemporaryFolder(ScratchFolder::Where where) {
  const bool in_memory = where == ScratchFolder::Where::kMemory && access(kMemoryFolder, W_OK) == 0;
  return in_memory ? kMemoryFolder : testing::TempDir();
}

}  // namespace

ScratchFolder::ScratchFolder(Where where) : path_(TemporaryFolder(where) + "/qinglan-fault-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

ScratchFolder::~ScratchFolder() { std::filesystem::remove_all(path_); }

void ScratchFolder::Clear() const {
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    std::filesystem::remove_all(entry.path());
}

RocksEventStore::Options SmallStore(std::string directory, rocksdb::Env* env) {
  RocksEventStore::Options options;
  options.directory = std::move(directory);
  options.cache_bytes = kCacheBytes;
  options.small_buffers = true;
  options.env = env;
  return options;
}

void Hush() {
  if (std::getenv("QINGLAN_FAULT_VERBOSE") == nullptr) spdlog::set_level(spdlog::level::off);
}

Findings ExpectSound(const RocksEventStore& store, const Ledger& ledger) {
  const auto report = eventstore::Fsck(store, [](auto, auto, auto) {});
  if (!report.ok()) {
    ADD_FAILURE() << "fsck could not be done: " << report.status();
  } else {
    for (const eventstore::FsckProblem& problem : report->problems)
      ADD_FAILURE() << "fsck: position " << problem.position.value << ": " << problem.what;
  }
  Findings findings = ledger.Check(store);
  for (const std::string& wrong : findings.wrongs) ADD_FAILURE() << wrong;
  if (report.ok() && report->clean()) {
    // What a write that failed left in a database that has stopped, nobody is shown before the store is sure
    // of it.
    const bool has_stopped = store.database().has_stopped();
    EXPECT_TRUE(report->events == findings.events || (has_stopped && report->events > findings.events))
        << "fsck finds " << report->events << " events, readers " << findings.events;
    EXPECT_TRUE(report->commits == findings.commits || (has_stopped && report->commits > findings.commits))
        << "fsck finds " << report->commits << " commits, readers " << findings.commits;
  }
  return findings;
}

}  // namespace qinglan::fault
