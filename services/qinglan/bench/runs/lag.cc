#include <absl/time/clock.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include "eventstore/check.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/workload/flight.h"
#include "services/qinglan/bench/workload/target.h"

namespace qinglan::bench {
namespace {

using eventstore::EventView;
using eventstore::Position;

constexpr int kInFlight = 4096;  // so many events may be late before the sender has to wait
constexpr size_t kFollowedAtOnce = 512;
constexpr absl::Duration kFollowerWait = absl::Milliseconds(100);
constexpr absl::Duration kPatience = absl::Seconds(10);

// When each event was due to be sent: from then on it lags, even if it was sent late.
class Schedule {
 public:
  Schedule(Position head, double rate) : head_(head), interval_(absl::Seconds(1) / rate), began_(Now()) {}

  absl::Duration DueOf(Position position) const {
    return began_ + interval_ * static_cast<double>(position.value - head_.value - 1);
  }

 private:
  const Position head_;
  const absl::Duration interval_;
  const absl::Duration began_;
};

struct Lag {
  Histogram acknowledged;  // from due to acknowledged
  Histogram followed;      // from due to handed to the subscriber
  uint64_t events = 0;
  absl::Duration took;
};

class Follower {
 public:
  Follower(eventstore::Subscription& subscription, const Schedule& schedule, Position counted_after)
      : subscription_(subscription),
        schedule_(schedule),
        counted_after_(counted_after),
        thread_([this] { Run(); }) {}

  // Waits until it has seen `last`, then ends.
  absl::StatusOr<Histogram> Finish(Position last) {
    const absl::Duration patience_ends = Now() + kPatience;
    while (seen_.load() < last.value && Now() < patience_ends) absl::SleepFor(absl::Milliseconds(1));
    subscription_.Cancel();
    thread_.join();
    if (seen_.load() >= last.value) return lag_;
    return absl::DeadlineExceededError("the subscriber did not come to the end of the log");
  }

 private:
  void Run() {
    while (true) {
      const auto progress = subscription_.Next(kFollowedAtOnce, kFollowerWait, [&](const EventView& event) {
        if (event.position > counted_after_) lag_.Add(Now() - schedule_.DueOf(event.position));
        seen_ = event.position.value;
        return true;
      });
      if (!progress.ok()) return;
    }
  }

  eventstore::Subscription& subscription_;
  const Schedule& schedule_;
  const Position counted_after_;
  Histogram lag_;
  std::atomic<uint64_t> seen_ = 0;
  std::thread thread_;  // last: it uses all the others
};

absl::StatusOr<Lag> MeasureLag(const Target& target, const BenchOptions& options, Position head) {
  eventstore::EventStore& store = target.store();
  QL_ASSIGN_OR_RETURN(const auto subscription, store.Subscribe(eventstore::Query::All(), head));
  const auto warm_up = static_cast<uint64_t>(options.warm_up_seconds * options.rate);
  const auto events = warm_up + static_cast<uint64_t>(options.seconds * options.rate);
  const Position counted_after(head.value + warm_up);
  const Schedule schedule(head, options.rate);
  Follower follower(*subscription, schedule, counted_after);
  Lag lag;
  absl::Status failure;
  {
    Flight flight(store, kInFlight);
    for (uint64_t i = 0; i < events; ++i) {
      const Position expected(head.value + i + 1);
      const absl::Duration due = schedule.DueOf(expected);
      if (const absl::Duration early = due - Now(); early > absl::ZeroDuration()) absl::SleepFor(early);
      flight.Send(target.workload().Commit(head.value, head.value + i, 1, std::nullopt),
                  [&, due, expected](const auto& appended) {
                    if (!appended.ok()) failure = appended.status();
                    if (appended.ok() && expected > counted_after) lag.acknowledged.Add(Now() - due);
                  });
    }
  }
  lag.took = Now() - schedule.DueOf(counted_after.Next());
  lag.events = events - warm_up;
  auto followed = follower.Finish(failure.ok() ? Position(head.value + events) : head);
  if (!failure.ok()) return failure;
  QL_RETURN_IF_ERROR(followed.status());
  lag.followed = *followed;
  return lag;
}

}  // namespace

absl::StatusOr<Figures> RunLag(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(Target target, Target::Open(options));
  if (options.events > 0) QL_RETURN_IF_ERROR(target.FillUpTo(options.events));
  QL_ASSIGN_OR_RETURN(const Position head, target.store().Head());
  QL_ASSIGN_OR_RETURN(const Lag lag, MeasureLag(target, options, head));
  Figures figures = Describe("lag", options, target.workload().options());
  figures["rate_asked"] = options.rate;
  figures["events"] = lag.events;
  figures["events_per_second"] = static_cast<double>(lag.events) / absl::ToDoubleSeconds(lag.took);
  AddLatency(figures, lag.followed);
  Figures acknowledged;
  AddLatency(acknowledged, lag.acknowledged);
  figures["acknowledged_us"] = acknowledged["latency_us"];
  QL_RETURN_IF_ERROR(AddFootprint(figures, options, target));
  return figures;
}

}  // namespace qinglan::bench
