#include "services/qinglan/bench/workload/target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/compact.h"
#include "services/qinglan/bench/measure/measure.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/workload/connect.h"
#include "services/qinglan/bench/workload/flight.h"

namespace qinglan::bench {
namespace {

using eventstore::Position;

constexpr std::string_view kMarker = "bench.json";
constexpr std::string_view kMadeBy = "qinglan bench";
constexpr int kFillInFlightEvents = 12'000;  // enough for the writer to have the next batch ready
constexpr uint64_t kPeopleMin = 1000;

std::string Path(const std::string& folder, std::string_view name) {
  return fmt::format("{}/{}", folder, name);
}

bool MissingOrEmpty(const std::string& folder) {
  std::error_code error;
  return !std::filesystem::exists(folder, error) ||
         (std::filesystem::is_directory(folder, error) && std::filesystem::is_empty(folder, error));
}

// As many as were asked for, but within half a commit's bytes, for an event takes up some more than its own.
int EventsOfACommit(int asked, const WorkloadOptions& options) {
  const auto fit = eventstore::kCommitBytesMax / 2 / static_cast<size_t>(options.event_bytes);
  return std::clamp(asked, 1, static_cast<int>(fit));
}

WorkloadOptions AsAsked(const BenchOptions& options) {
  WorkloadOptions made;
  if (options.events > 0) made.people = std::max(kPeopleMin, options.events / kEventsOfATeacher);
  made.seed = options.seed.value_or(made.seed);
  made.event_bytes = options.event_bytes.value_or(made.event_bytes);
  made.tags = options.tags.value_or(made.tags);
  made.people = options.people.value_or(made.people);
  return made;
}

absl::Status WriteMarker(const std::string& folder, const WorkloadOptions& made) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::InvalidArgumentError(fmt::format("{}: {}", folder, error.message()));
  const nlohmann::ordered_json marker = {{"made_by", kMadeBy},
                                         {"seed", made.seed},
                                         {"event_bytes", made.event_bytes},
                                         {"tags", made.tags},
                                         {"people", made.people}};
  return WriteFile(Path(folder, kMarker), marker.dump(2) + "\n", false);
}

template <class Number>
absl::Status Reconcile(const nlohmann::json& marker, const char* name, const std::optional<Number>& asked,
                       Number& made) {
  const auto found = marker.find(name);
  if (found == marker.end() || !found->is_number_unsigned()) {
    return absl::FailedPreconditionError(fmt::format("{}: {} is missing", kMarker, name));
  }
  made = found->get<Number>();
  if (!asked.has_value() || *asked == made) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("--{}: this log was made with {}, not {}", name, made, *asked));
}

absl::StatusOr<WorkloadOptions> ReadMarker(const std::string& folder, const BenchOptions& options) {
  const absl::StatusOr<std::string> text = ReadFile(Path(folder, kMarker));
  const auto marker = nlohmann::json::parse(text.ok() ? *text : "", nullptr, false);
  if (!marker.is_object() || marker.value("made_by", "") != kMadeBy) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: not a directory of the benchmarks' (no {} of theirs); give a new one, so that no real log "
        "is filled with made-up events",
        folder, kMarker));
  }
  WorkloadOptions made;
  QL_RETURN_IF_ERROR(Reconcile(marker, "seed", options.seed, made.seed));
  QL_RETURN_IF_ERROR(Reconcile(marker, "event_bytes", options.event_bytes, made.event_bytes));
  QL_RETURN_IF_ERROR(Reconcile(marker, "tags", options.tags, made.tags));
  QL_RETURN_IF_ERROR(Reconcile(marker, "people", options.people, made.people));
  return made;
}

}  // namespace

absl::StatusOr<Target> Target::Open(const BenchOptions& options) {
  const bool remote = !options.server.empty();
  if (!remote && options.data.empty())
    return absl::InvalidArgumentError("--data=DIR or --server=HOST:PORT is required");
  WorkloadOptions made = AsAsked(options);
  if (!remote && MissingOrEmpty(options.data)) {
    QL_RETURN_IF_ERROR(WriteMarker(options.data, made));
  } else if (!options.data.empty()) {
    QL_ASSIGN_OR_RETURN(made, ReadMarker(options.data, options));
  }
  Target target(Workload(made), options.data.empty() ? "" : Path(options.data, "log"));
  target.fill_commit_events_ = EventsOfACommit(options.fill_events_per_commit, made);
  if (remote) {
    QL_ASSIGN_OR_RETURN(target.stores_, Connect(options));
  } else {
    eventstore::RocksEventStore::Options store_options;
    store_options.directory = target.directory_;
    QL_ASSIGN_OR_RETURN(auto store, eventstore::RocksEventStore::Open(store_options));
    target.embedded_ = store.get();
    target.stores_.push_back(std::move(store));
  }
  QL_RETURN_IF_ERROR(target.CheckIsOurs());
  return target;
}

absl::Status Target::CheckIsOurs() const {
  bool ours = true;
  QL_RETURN_IF_ERROR(store()
                         .Read(eventstore::Query::All(), {.limit = 1},
                               [&](const eventstore::EventView& event) {
                                 ours = IsOurs(event);
                                 return false;
                               })
                         .status());
  if (ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this log begins with an event that no benchmark made: it is a real one");
}

absl::Status Target::FillUpTo(uint64_t events) const {
  QL_ASSIGN_OR_RETURN(const Position head, store().Head());
  const bool show_progress = ::isatty(STDERR_FILENO) == 1;
  std::mutex mutex;
  absl::Status failure;
  {
    const auto commit_events = static_cast<uint64_t>(fill_commit_events_);
    Flight flight(store(), kFillInFlightEvents);
    for (uint64_t next = head.value; next < events; next += commit_events) {
      {
        const std::lock_guard lock(mutex);
        if (!failure.ok()) break;
      }
      const auto count = static_cast<int>(std::min<uint64_t>(commit_events, events - next));
      flight.Send(workload_.Commit(head.value, next, count, std::nullopt), [&](const auto& appended) {
        const std::lock_guard lock(mutex);
        if (failure.ok()) failure = appended.status();
      });
      if (show_progress && next / commit_events % 1000 == 0) {
        fmt::print(stderr, "\rfilling: {} of {} events   ", next, events);
      }
    }
  }
  if (show_progress && head.value < events) fmt::print(stderr, "\n");
  return failure;
}

absl::Status Target::Compact() const {
  if (embedded_ == nullptr) return absl::UnimplementedError("--compact: only with --data");
  return eventstore::rocks::CompactWhole(embedded_->database());
}

std::optional<uint64_t> Target::CloseAndMeasureDisk() {
  if (embedded_ != nullptr) {
    embedded_ = nullptr;
    stores_.clear();
  }
  if (directory_.empty()) return std::nullopt;
  return DiskBytes(directory_);
}

}  // namespace qinglan::bench
