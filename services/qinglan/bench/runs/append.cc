#include <absl/time/clock.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "eventstore/check.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/workload/flight.h"
#include "services/qinglan/bench/workload/target.h"

namespace qinglan::bench {
namespace {

using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::Position;

// After a full queue's refusal.
constexpr absl::Duration kBackOff = absl::Milliseconds(1);

// What the clients share: which events are next, and how far the log has come, as far as they know.
class Source {
 public:
  Source(const Workload& workload, const BenchOptions& options, Position head)
      : workload_(workload), options_(options), run_(head.value), next_(head.value), seen_(head.value) {}

  AppendRequest Next() {
    const auto events = static_cast<uint64_t>(options_.events_per_commit);
    const uint64_t first = next_.fetch_add(events, std::memory_order_relaxed);
    std::optional<Position> after;
    if (options_.conditional) after = Position(seen_.load(std::memory_order_relaxed));
    return workload_.Commit(run_, first, options_.events_per_commit, after);
  }

  void Saw(Position position) {
    uint64_t seen = seen_.load(std::memory_order_relaxed);
    while (seen < position.value &&
           !seen_.compare_exchange_weak(seen, position.value, std::memory_order_relaxed)) {
    }
  }

 private:
  const Workload& workload_;
  const BenchOptions& options_;
  const uint64_t run_;
  std::atomic<uint64_t> next_;
  std::atomic<uint64_t> seen_;
};

void Note(const absl::StatusOr<Appended>& appended, absl::Duration began, Source& source, Meter& meter) {
  if (appended.ok()) {
    source.Saw(appended->last);
    meter.Operation(began, appended->last.value - appended->first.value + 1);
  } else if (absl::IsAborted(appended.status())) {
    meter.Conflict(began);
  } else if (absl::IsResourceExhausted(appended.status())) {
    meter.Refused(began);
  } else {
    meter.Fail(appended.status());
  }
}

void AppendOneByOne(eventstore::EventStore& store, Source& source, Meter& meter) {
  while (meter.Going()) {
    AppendRequest request = source.Next();
    const absl::Duration began = Now();
    const absl::StatusOr<Appended> appended = store.AppendAndWait(std::move(request));
    Note(appended, began, source, meter);
    if (absl::IsResourceExhausted(appended.status())) absl::SleepFor(kBackOff);
  }
}

// A client whose next append leaves when the answer to the last one has come, on the thread that brought it:
// no client costs a thread, so that many can be had on a small machine.
class Loop {
 public:
  Loop(eventstore::EventStore& store, Source& source, Meter& meter)
      : store_(store), source_(source), meter_(meter) {}

  void Start() { Send(); }
  void WaitUntilOver() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return over_; });
  }

 private:
  void Send() {
    if (!meter_.Going()) {
      const std::lock_guard lock(mutex_);
      over_ = true;
      ended_.notify_all();
      return;
    }
    AppendRequest request = source_.Next();
    const absl::Duration began = Now();
    store_.Append(std::move(request), [this, began](const absl::StatusOr<Appended>& appended) {
      Note(appended, began, source_, meter_);
      // A full queue answers at once, on this very stack.
      if (absl::IsResourceExhausted(appended.status())) meter_.Fail(appended.status());
      Send();
    });
  }

  eventstore::EventStore& store_;
  Source& source_;
  Meter& meter_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
};

void AppendInLoops(const Target& target, int clients, Source& source, Meter& meter) {
  std::deque<Loop> loops;
  for (int i = 0; i < clients; ++i) loops.emplace_back(target.StoreOf(i), source, meter);
  for (Loop& loop : loops) loop.Start();
  for (Loop& loop : loops) loop.WaitUntilOver();
}

// Also that the answers come in the order of the appends, as a stream promises.
void AppendInFlight(eventstore::EventStore& store, int in_flight, Source& source, Meter& meter) {
  uint64_t last = 0;
  Flight flight(store, in_flight);
  while (meter.Going()) {
    AppendRequest request = source.Next();
    const absl::Duration began = Now();
    flight.Send(std::move(request), [&, began](const absl::StatusOr<Appended>& appended) {
      Note(appended, began, source, meter);
      if (!appended.ok()) return;
      if (appended->first.value <= last) {
        meter.Fail(absl::InternalError("an append was acknowledged before an earlier one of its client's"));
      }
      last = appended->last.value;
    });
  }
}

}  // namespace

absl::StatusOr<Figures> RunAppend(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(Target target, Target::Open(options));
  if (options.events > 0) QL_RETURN_IF_ERROR(target.FillUpTo(options.events));
  QL_ASSIGN_OR_RETURN(const Position head, target.store().Head());
  Source source(target.workload(), options, head);
  const bool loops = options.pipelined == 0 && !options.blocking;
  const Plan plan{loops ? 1 : options.clients, absl::Seconds(options.warm_up_seconds),
                  absl::Seconds(options.seconds), options.server_pid};
  QL_ASSIGN_OR_RETURN(const Measured measured, Measure(plan, [&](int client, Meter& meter) {
                        if (loops) return AppendInLoops(target, options.clients, source, meter);
                        eventstore::EventStore& store = target.StoreOf(client);
                        options.blocking ? AppendOneByOne(store, source, meter)
                                         : AppendInFlight(store, options.pipelined, source, meter);
                      }));
  Figures figures = Describe("append", options, target.workload().options());
  figures["clients"] = options.clients;
  figures["events_per_commit"] = options.events_per_commit;
  figures["conditional"] = options.conditional;
  figures["blocking"] = options.blocking;
  figures["pipelined"] = options.pipelined;
  figures["log_events_before"] = head.value;
  Add(figures, measured, "commits");
  QL_RETURN_IF_ERROR(AddFootprint(figures, options, target));
  return figures;
}

absl::StatusOr<Figures> RunFill(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(Target target, Target::Open(options));
  QL_ASSIGN_OR_RETURN(const Position head, target.store().Head());
  const absl::Duration began = Now();
  QL_RETURN_IF_ERROR(target.FillUpTo(options.events));
  const absl::Duration took = Now() - began;
  QL_ASSIGN_OR_RETURN(const Position filled, target.store().Head());
  Figures figures = Describe("fill", options, target.workload().options());
  figures["events_per_commit"] = options.fill_events_per_commit;
  const uint64_t events = filled.value - head.value;
  figures["seconds"] = absl::ToDoubleSeconds(took);
  figures["events"] = events;
  figures["events_per_second"] = static_cast<double>(events) / absl::ToDoubleSeconds(took);
  QL_RETURN_IF_ERROR(AddFootprint(figures, options, target));
  return figures;
}

}  // namespace qinglan::bench
