#include "services/qinglan/bench/workload/flight.h"

#include <utility>

namespace qinglan::bench {

void Flight::Send(eventstore::AppendRequest request, Answered answered) {
  const int events = static_cast<int>(request.events.size());
  {
    std::unique_lock lock(mutex_);
    landed_.wait(lock, [&] { return in_flight_ == 0 || in_flight_ + events <= in_flight_max_; });
    in_flight_ += events;
  }
  store_.Append(std::move(request), [this, events, answered = std::move(answered)](
                                        absl::StatusOr<eventstore::Appended> appended) {
    const std::lock_guard lock(mutex_);
    answered(appended);
    in_flight_ -= events;
    landed_.notify_all();  // under the lock: the waiter may destroy this as soon as it can take it
  });
}

void Flight::Wait() {
  std::unique_lock lock(mutex_);
  landed_.wait(lock, [&] { return in_flight_ == 0; });
}

}  // namespace qinglan::bench
