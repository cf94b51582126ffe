// Runs clients beside each other and measures what they do between two instants: after a warm-up, and before
// the first of them stops. An operation counts when it began and ended within.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "services/qinglan/bench/measure/histogram.h"

namespace qinglan::bench {

// A steady clock's instant, comparable between processes of one machine.
absl::Duration Now();

struct Measured {
  absl::Duration took;
  Histogram latency;
  uint64_t operations = 0;
  uint64_t events = 0;
  uint64_t conflicts = 0;  // operations that met a newer event: they are no part of the others
  uint64_t refused = 0;    // that the store's full queue refused, and that were asked again
  absl::Duration cpu;      // of this process
  std::optional<absl::Duration> server_cpu;
};

// What one client notes. Thread-safe.
class Meter {
 public:
  bool Going() const { return !over_.load(std::memory_order_relaxed); }

  void Operation(absl::Duration began, uint64_t events);
  void Conflict(absl::Duration began);
  void Refused(absl::Duration began);
  // Ends the client; the first failure is the benchmark's.
  void Fail(const absl::Status& status);

 private:
  friend class Stopwatch;
  bool Counts(absl::Duration began) const;

  std::atomic<int64_t> from_nanos_ = INT64_MAX;  // of Now()
  std::atomic<bool> over_ = false;

  std::mutex mutex_;
  Measured measured_;
  absl::Status failure_;
};

struct Plan {
  int clients = 1;
  absl::Duration warm_up;
  absl::Duration duration;
  pid_t server = 0;
};

// Each client runs on a thread of its own until its meter stops going or it fails. The first failure of any.
absl::StatusOr<Measured> Measure(const Plan& plan,
                                 const std::function<void(int client, Meter& meter)>& client);

}  // namespace qinglan::bench
