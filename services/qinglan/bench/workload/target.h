// The log that a benchmark works on: a directory that only benchmarks use, or a server.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "services/qinglan/bench/options.h"
#include "services/qinglan/bench/workload/workload.h"

namespace qinglan::bench {

// Thread-safe once it is open.
class Target {
 public:
  // Opens the store, or makes it when the directory is new or empty. What is there must have been made by a
  // benchmark: a directory bears bench.json, a log begins with an event of ours. FAILED_PRECONDITION when it
  // was not, or was made of other events than the options ask for; the errors of the store.
  static absl::StatusOr<Target> Open(const BenchOptions& options);

  eventstore::EventStore& store() const { return *stores_.front(); }
  // The connection of one of several clients, who share --connections evenly.
  eventstore::EventStore& StoreOf(int client) const {
    return *stores_[static_cast<size_t>(client) % stores_.size()];
  }
  const Workload& workload() const { return workload_; }

  // Appends events in commits as the options ask for, in order, until the log holds `events`.
  absl::Status FillUpTo(uint64_t events) const;

  // Merges every file of an embedded store, so that nothing is on the disk twice. UNIMPLEMENTED for a server.
  absl::Status Compact() const;

  // Closes an embedded store; what it takes up on the disk is told then. That of a server is told as it is.
  // Nothing when no directory is known.
  std::optional<uint64_t> CloseAndMeasureDisk();

 private:
  Target(Workload workload, std::string directory) : workload_(workload), directory_(std::move(directory)) {}
  absl::Status CheckIsOurs() const;

  Workload workload_;
  int fill_commit_events_ = 1;
  std::string directory_;  // of the store itself; empty when it is not known
  std::vector<std::unique_ptr<eventstore::EventStore>> stores_;  // one, or one a connection
  eventstore::RocksEventStore* embedded_ = nullptr;
};

}  // namespace qinglan::bench
