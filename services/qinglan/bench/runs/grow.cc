#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <mutex>

#include "eventstore/check.h"
#include "eventstore/rocks/compact.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/views.h"
#include "services/qinglan/bench/workload/flight.h"
#include "services/qinglan/bench/workload/likeness.h"

namespace qinglan::bench {
namespace {

constexpr int kInFlight = 10'000;  // events: fewer than the log lets wait

absl::StatusOr<std::unique_ptr<eventstore::RocksEventStore>> MakeLog(const std::string& data) {
  std::error_code error;
  if (std::filesystem::exists(data, error) && !std::filesystem::is_empty(data, error)) {
    return absl::FailedPreconditionError(fmt::format(
        "--data={}: must be new or empty, so that no real log is filled with made-up events", data));
  }
  std::filesystem::create_directories(data, error);
  if (error) return absl::InvalidArgumentError(fmt::format("--data={}: {}", data, error.message()));
  eventstore::RocksEventStore::Options options;
  options.directory = data + "/log";
  return eventstore::RocksEventStore::Open(options);
}

// The copies take turns, so that all their people are about at the same time.
absl::Status Fill(const Likeness& likeness, uint64_t copies, eventstore::EventStore& store) {
  std::mutex mutex;
  absl::Status failure;
  Flight flight(store, kInFlight);
  for (uint64_t commit = 0; commit < likeness.commits(); ++commit) {
    for (uint64_t copy = 0; copy < copies; ++copy) {
      flight.Send(likeness.Commit(commit, copy), [&](const auto& appended) {
        const std::lock_guard lock(mutex);
        if (failure.ok()) failure = appended.status();
      });
    }
    const std::lock_guard lock(mutex);
    if (!failure.ok()) break;
  }
  flight.Wait();
  return failure;
}

}  // namespace

absl::StatusOr<Figures> RunGrow(const ViewsOptions& options) {
  QL_ASSIGN_OR_RETURN(const Likeness likeness, Likeness::Of(options.like));
  QL_ASSIGN_OR_RETURN(const auto store, MakeLog(options.data));
  const uint64_t copies = (options.events + likeness.events() - 1) / likeness.events();
  const absl::Duration began = Now();
  QL_RETURN_IF_ERROR(Fill(likeness, copies, *store));
  const double seconds = absl::ToDoubleSeconds(Now() - began);
  QL_ASSIGN_OR_RETURN(const eventstore::Position head, store->Head());
  QL_RETURN_IF_ERROR(eventstore::rocks::CompactWhole(store->database()));
  Figures figures;
  figures["bench"] = "grow";
  figures["copies"] = copies;
  figures["events"] = head.value;
  figures["seconds"] = seconds;
  figures["events_per_second"] = static_cast<double>(head.value) / seconds;
  figures["disk_bytes"] = DiskBytes(options.data + "/log");
  return figures;
}

}  // namespace qinglan::bench
