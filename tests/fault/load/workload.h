// Writers as they come: plain commits of several sizes with several in flight, counters that need a condition
// to be right, and retries with the same commit id.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "tests/fault/load/ledger.h"

namespace qinglan::fault {

inline constexpr std::string_view kCounterType = "counter";
inline constexpr int kCounters = 3;

// Commit ids are "<run>.<writer>.<n>"; they alone say what a plain commit holds, to the last byte.
std::string CommitId(std::string_view run, int writer, uint64_t n);
bool IsCounter(std::string_view commit_id);
eventstore::AppendRequest PlainRequest(const std::string& commit_id);
std::string WriterTag(std::string_view commit_id);

// The next value of one of the counters, on the condition that nobody has counted since it was read.
absl::StatusOr<eventstore::AppendRequest> CounterRequest(const eventstore::EventStore& store,
                                                         const std::string& commit_id);

struct WorkloadOptions {
  std::string run;  // no two that write to one log have the same
  int writers = 4;
  uint32_t seed = 0;
  std::vector<std::string> retry_first;  // commits of an earlier run whose outcome is unknown
};

// Writes from its making until Stop(). `store` and `witness` must outlive it.
class Workload {
 public:
  Workload(eventstore::EventStore& store, Witness& witness, WorkloadOptions options);
  ~Workload() { Stop(); }
  void Stop();

 private:
  class Writer;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace qinglan::fault
