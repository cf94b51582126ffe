#include "services/qinglan/bench/measure/measure.h"

#include <absl/time/clock.h>

#include <chrono>
#include <deque>
#include <thread>
#include <vector>

#include "services/qinglan/bench/measure/usage.h"

namespace qinglan::bench {

absl::Duration Now() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

bool Meter::Counts(absl::Duration began) const {
  return Going() && absl::ToInt64Nanoseconds(began) >= from_nanos_.load(std::memory_order_relaxed);
}

void Meter::Operation(absl::Duration began, uint64_t events) {
  const absl::Duration took = Now() - began;
  const std::lock_guard lock(mutex_);
  if (!Counts(began)) return;
  measured_.latency.Add(took);
  ++measured_.operations;
  measured_.events += events;
}

void Meter::Conflict(absl::Duration began) {
  const std::lock_guard lock(mutex_);
  if (Counts(began)) ++measured_.conflicts;
}

void Meter::Refused(absl::Duration began) {
  const std::lock_guard lock(mutex_);
  if (Counts(began)) ++measured_.refused;
}

void Meter::Fail(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = status;
  over_ = true;
}

class Stopwatch {
 public:
  explicit Stopwatch(const Plan& plan) : plan_(plan), meters_(static_cast<size_t>(plan.clients)) {}

  absl::StatusOr<Measured> Run(const std::function<void(int client, Meter& meter)>& client) {
    std::vector<std::thread> threads;
    for (int i = 0; i < plan_.clients; ++i) {
      threads.emplace_back([&, i] { client(i, meters_[static_cast<size_t>(i)]); });
    }
    SleepFor(plan_.warm_up);
    const absl::Duration cpu = OwnCpuTime();
    const auto server_cpu = plan_.server != 0 ? CpuTimeOf(plan_.server) : std::nullopt;
    const absl::Duration began = Now();
    for (Meter& meter : meters_) meter.from_nanos_ = absl::ToInt64Nanoseconds(began);
    SleepFor(plan_.duration);
    for (Meter& meter : meters_) meter.over_ = true;
    Measured all;
    all.took = Now() - began;
    all.cpu = OwnCpuTime() - cpu;
    const auto server_cpu_after = plan_.server != 0 ? CpuTimeOf(plan_.server) : std::nullopt;
    if (server_cpu.has_value() && server_cpu_after.has_value())
      all.server_cpu = *server_cpu_after - *server_cpu;
    for (std::thread& thread : threads) thread.join();
    return Sum(std::move(all));
  }

 private:
  // Ends early when every client has failed: there is nothing to wait for.
  void SleepFor(absl::Duration duration) const {
    const absl::Duration end = Now() + duration;
    const auto any_going = [&] {
      for (const Meter& meter : meters_)
        if (meter.Going()) return true;
      return false;
    };
    while (Now() < end && any_going()) absl::SleepFor(std::min(absl::Milliseconds(50), end - Now()));
  }

  absl::StatusOr<Measured> Sum(Measured all) {
    for (Meter& meter : meters_) {
      if (!meter.failure_.ok()) return meter.failure_;
      all.latency.Merge(meter.measured_.latency);
      all.operations += meter.measured_.operations;
      all.events += meter.measured_.events;
      all.conflicts += meter.measured_.conflicts;
      all.refused += meter.measured_.refused;
    }
    return all;
  }

  const Plan plan_;
  std::deque<Meter> meters_;
};

absl::StatusOr<Measured> Measure(const Plan& plan,
                                 const std::function<void(int client, Meter& meter)>& client) {
  return Stopwatch(plan).Run(client);
}

}  // namespace qinglan::bench
