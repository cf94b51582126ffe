// The benchmarks. Each opens its target, does its work, and returns what it found.
#pragma once

#include <absl/status/statusor.h>

#include "services/qinglan/bench/measure/report.h"
#include "services/qinglan/bench/options.h"
#include "services/qinglan/bench/workload/workload.h"

namespace qinglan::bench {

// Appends by --clients for --seconds, conditionally as commands do.
absl::StatusOr<Figures> RunAppend(const BenchOptions& options);
// Fills the log to --events as fast as it goes.
absl::StatusOr<Figures> RunFill(const BenchOptions& options);
// Short reads by tags or type, of the log's events at random.
absl::StatusOr<Figures> RunRead(const BenchOptions& options);
// Every event from the first to the last, again and again until --seconds are over.
absl::StatusOr<Figures> RunReplay(const BenchOptions& options);
// Appends at --rate, and how much later a subscriber that was live has each event.
absl::StatusOr<Figures> RunLag(const BenchOptions& options);
// A process of its own that opens the log: the time until it has read its last event, and its memory.
absl::StatusOr<Figures> RunOpen(const BenchOptions& options);
// What that process does; it prints the instant at which it had read.
absl::Status OpenAndRead(const BenchOptions& options);

// What every benchmark tells: its name, where it ran and on what.
Figures Describe(const char* bench, const BenchOptions& options, const WorkloadOptions& workload);
// The head, the disk and the memory; closes the target.
absl::Status AddFootprint(Figures& figures, const BenchOptions& options, class Target& target);

}  // namespace qinglan::bench
