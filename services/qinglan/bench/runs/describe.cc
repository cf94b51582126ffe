#include <cmath>
#include <optional>

#include "eventstore/check.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/workload/target.h"

namespace qinglan::bench {

Figures Describe(const char* bench, const BenchOptions& options, const WorkloadOptions& workload) {
  Figures figures;
  figures["bench"] = bench;
  figures["store"] = options.server.empty() ? "embedded" : "remote";
  if (!options.server.empty()) figures["connections"] = options.connections;
  figures["event_bytes"] = workload.event_bytes;
  figures["tags"] = workload.tags;
  figures["people"] = workload.people;
  figures["seed"] = workload.seed;
  return figures;
}

absl::Status AddFootprint(Figures& figures, const BenchOptions& options, Target& target) {
  if (options.compact) QL_RETURN_IF_ERROR(target.Compact());
  QL_ASSIGN_OR_RETURN(const eventstore::Position head, target.store().Head());
  figures["log_events"] = head.value;
  figures["compacted"] = options.compact;
  figures["disk_bytes"] = nullptr;
  figures["disk_bytes_per_event"] = nullptr;
  if (const std::optional<uint64_t> disk = target.CloseAndMeasureDisk(); disk.has_value()) {
    figures["disk_bytes"] = *disk;
    if (head.value > 0) {
      figures["disk_bytes_per_event"] =
          std::round(10.0 * static_cast<double>(*disk) / static_cast<double>(head.value)) / 10;
    }
  }
  figures["peak_memory_bytes"] = {{"client", nullptr}, {"server", nullptr}};
  if (const auto own = PeakMemoryBytes(); own.has_value()) figures["peak_memory_bytes"]["client"] = *own;
  if (options.server_pid != 0) {
    if (const auto peak = PeakMemoryBytes(options.server_pid); peak.has_value()) {
      figures["peak_memory_bytes"]["server"] = *peak;
    }
  }
  return absl::OkStatus();
}

}  // namespace qinglan::bench
