#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "projections/runner/runner.h"
#include "services/portfolio/service.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/views.h"
#include "services/qinglan/bench/workload/flight.h"
#include "services/qinglan/bench/workload/likeness.h"

namespace qinglan::bench {
namespace {

using eventstore::Position;

constexpr int kInFlight = 4096;  // so many events may be late before the sender has to wait
constexpr absl::Duration kPatience = absl::Seconds(30);
// To wake for every event costs more of a processor than the log does. An event that is sent late because of
// it lags from when it was due.
constexpr absl::Duration kNapMin = absl::Microseconds(500);

// The records of a log one by one, in more and more copies. Not thread-safe.
class Source {
 public:
  Source(const Likeness& likeness, uint64_t copies) : likeness_(likeness), copies_(copies) {}

  eventstore::AppendRequest Next() {
    if (next_ == whole_.events.size()) Advance();
    eventstore::AppendRequest request;
    request.commit_id = fmt::format("{}-{}", whole_.commit_id, next_);
    request.actor = whole_.actor;
    request.correlation_id = whole_.correlation_id;
    request.events.push_back(std::move(whole_.events[next_++]));
    return request;
  }

 private:
  // The copies take turns, so that all their people are about at the same time.
  void Advance() {
    whole_ = likeness_.Commit(turn_ / copies_ % likeness_.commits(),
                              turn_ % copies_ + turn_ / copies_ / likeness_.commits() * copies_);
    ++turn_;
    next_ = 0;
  }

  const Likeness& likeness_;
  const uint64_t copies_;
  eventstore::AppendRequest whole_;
  size_t next_ = 0;
  uint64_t turn_ = 0;
};

// When each event was due to be sent: from then on it lags, even if it was sent late.
class Schedule {
 public:
  explicit Schedule(double rate) : interval_(absl::Seconds(1) / rate), began_(Now()) {}
  absl::Duration DueOf(Position position) const {
    return began_ + interval_ * static_cast<double>(position.value - 1);
  }

 private:
  const absl::Duration interval_;
  const absl::Duration began_;
};

// Asks the views as a query does, as soon as they have moved on.
absl::StatusOr<Histogram> Watch(const projections::Runner& runner, const Schedule& schedule,
                                Position counted_after, Position last) {
  const std::vector<std::string> names = runner.Names();
  Histogram lag;
  for (Position seen; seen < last;) {
    Position all = last;
    for (const std::string& name : names) {
      QL_ASSIGN_OR_RETURN(const projections::ViewSnapshot rows,
                          runner.Rows(name, seen.Next(), absl::Now() + kPatience));
      all = std::min(all, rows.position());
    }
    const absl::Duration now = Now();
    while (seen < all) {
      seen = seen.Next();
      if (seen > counted_after) lag.Add(now - schedule.DueOf(seen));
    }
  }
  return lag;
}

absl::Status Send(eventstore::EventStore& store, Source& source, const Schedule& schedule, uint64_t events) {
  std::mutex mutex;
  absl::Status failure;
  Flight flight(store, kInFlight);
  for (uint64_t i = 1; i <= events; ++i) {
    const absl::Duration early = schedule.DueOf(Position(i)) - Now();
    if (early > absl::ZeroDuration()) absl::SleepFor(std::max(early, kNapMin));
    flight.Send(source.Next(), [&](const auto& appended) {
      const std::lock_guard lock(mutex);
      if (failure.ok()) failure = appended.status();
    });
  }
  flight.Wait();
  return failure;
}

}  // namespace

absl::StatusOr<Figures> RunViewLag(const ViewsOptions& options) {
  QL_ASSIGN_OR_RETURN(const Likeness likeness, Likeness::Of(options.like));
  std::error_code error;
  if (std::filesystem::exists(options.data, error) && !std::filesystem::is_empty(options.data, error))
    return absl::FailedPreconditionError(fmt::format("--data={}: must be new or empty", options.data));
  std::filesystem::create_directories(options.data + "/views", error);
  if (error) return absl::InvalidArgumentError(fmt::format("--data={}: {}", options.data, error.message()));
  eventstore::RocksEventStore::Options log_options;
  log_options.directory = options.data + "/log";
  QL_ASSIGN_OR_RETURN(const auto log, eventstore::RocksEventStore::Open(log_options));
  projections::ViewStore::Options views_options;
  views_options.directory = options.data + "/views";
  views_options.folds = projections::FoldsOf(portfolio::Projections());
  QL_ASSIGN_OR_RETURN(const auto views, projections::ViewStore::Open(views_options));
  spdlog::set_level(spdlog::level::warn);
  projections::Runner runner(log.get(), views.get(), portfolio::Projections());
  QL_RETURN_IF_ERROR(runner.Start());

  const auto warm_up = static_cast<uint64_t>(options.warm_up_seconds * options.rate);
  const uint64_t events = warm_up + static_cast<uint64_t>(options.seconds * options.rate);
  Source source(likeness, (std::max(events, options.events) + likeness.events() - 1) / likeness.events());
  const Schedule schedule(options.rate);
  absl::StatusOr<Histogram> lag = absl::UnknownError("never watched");
  std::thread watcher([&] { lag = Watch(runner, schedule, Position(warm_up), Position(events)); });
  const absl::Status sent = Send(*log, source, schedule, events);
  const absl::Duration took = Now() - schedule.DueOf(Position(1));
  if (!sent.ok()) runner.Stop();  // so that nobody waits for what never comes
  watcher.join();
  QL_RETURN_IF_ERROR(sent);
  QL_RETURN_IF_ERROR(lag.status());
  Figures figures;
  figures["bench"] = "view-lag";
  figures["rate_asked"] = options.rate;
  figures["events"] = events - warm_up;
  figures["events_per_second"] = static_cast<double>(events) / absl::ToDoubleSeconds(took);
  AddLatency(figures, *lag);
  figures["cpu_seconds"] = absl::ToDoubleSeconds(OwnCpuTime());
  figures["peak_memory_bytes"] = PeakMemoryBytes().value_or(0);
  return figures;
}

}  // namespace qinglan::bench
