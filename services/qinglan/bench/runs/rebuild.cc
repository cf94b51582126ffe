#include "projections/rebuild/rebuild.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/disk/presence.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "projections/view_store/view_store.h"
#include "services/portfolio/service.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/views.h"

namespace qinglan::bench {
namespace {

using projections::RebuildStats;
using projections::RebuildTarget;
using projections::ViewId;

// Beside the log, so that it is the same disk; gone afterwards.
class Scratch {
 public:
  explicit Scratch(const std::string& data) : path_(fmt::format("{}/bench-views-{}", data, getpid())) {
    Clear();
  }
  ~Scratch() { Clear(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  void Clear() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

 private:
  const std::string path_;
};

struct Pass {
  RebuildStats stats;
  double seconds = 0;
  uint64_t disk_bytes = 0;
};

absl::StatusOr<Pass> RebuildOnce(const eventstore::EventStore& log, const std::string& folder,
                                 const ViewsOptions& options) {
  Pass pass;
  {
    projections::ViewStore::Options store;
    store.directory = folder;
    const auto projections = portfolio::Projections();
    store.folds = projections::FoldsOf(projections);
    QL_ASSIGN_OR_RETURN(const auto views, projections::ViewStore::Open(store));
    std::vector<RebuildTarget> targets;
    for (const auto& projection : projections) {
      const ViewId view{std::string(projection->name()), projection->version()};
      QL_RETURN_IF_ERROR(views->MakeView(view, projections::WhenThere::kStay));
      targets.push_back({view, projection.get(), projections::Checkpoint(), absl::OkStatus()});
    }
    projections::RebuildOptions rebuild;
    rebuild.threads = options.threads;
    rebuild.memory_bytes_max = options.memory_mib << 20;
    const absl::Duration began = Now();
    QL_ASSIGN_OR_RETURN(pass.stats, projections::Rebuild(log, *views, targets, rebuild));
    pass.seconds = absl::ToDoubleSeconds(Now() - began);
    for (const RebuildTarget& target : targets) QL_RETURN_IF_ERROR(target.status);
  }
  pass.disk_bytes = DiskBytes(folder);
  return pass;
}

}  // namespace

absl::StatusOr<Figures> RunRebuild(const ViewsOptions& options) {
  eventstore::RocksEventStore::Options store;
  store.directory = options.data + "/log";
  QL_RETURN_IF_ERROR(eventstore::FindStore(store.directory));
  QL_ASSIGN_OR_RETURN(const auto log, eventstore::RocksEventStore::Open(store));
  const absl::Duration cpu = OwnCpuTime();
  const Scratch scratch(options.data);
  std::vector<double> rates;
  Pass last;
  for (int run = 0; run < options.runs; ++run) {
    scratch.Clear();
    QL_ASSIGN_OR_RETURN(last, RebuildOnce(*log, scratch.path(), options));
    rates.push_back(static_cast<double>(last.stats.events) / last.seconds);
  }
  std::sort(rates.begin(), rates.end());
  Figures figures;
  figures["bench"] = "rebuild";
  figures["events"] = last.stats.events;
  figures["views"] = portfolio::Projections().size();
  figures["threads"] = options.threads;
  figures["runs"] = rates.size();
  figures["events_per_second"] = std::round(rates[rates.size() / 2]);
  figures["events_per_second_min"] = std::round(rates.front());
  figures["events_per_second_max"] = std::round(rates.back());
  figures["rows_written"] = last.stats.rows;
  figures["stores"] = last.stats.stores;
  figures["storing_seconds"] = absl::ToDoubleSeconds(last.stats.storing);
  figures["seconds"] = last.seconds;
  figures["cpu_seconds"] = absl::ToDoubleSeconds(OwnCpuTime() - cpu);
  figures["views_disk_bytes"] = last.disk_bytes;
  figures["peak_memory_bytes"] = PeakMemoryBytes().value_or(0);
  return figures;
}

}  // namespace qinglan::bench
