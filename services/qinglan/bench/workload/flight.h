// Appends that do not wait for their answers, a bounded number at a time.
#pragma once

#include <absl/status/status.h>

#include <condition_variable>
#include <functional>
#include <mutex>

#include "eventstore/event_store.h"

namespace qinglan::bench {

// For one sending thread. Its end waits for every answer.
class Flight {
 public:
  // Called on a thread of the store's, one call at a time and in the order of the answers.
  using Answered = std::function<void(const absl::StatusOr<eventstore::Appended>&)>;

  // `in_flight_max`: events.
  Flight(eventstore::EventStore& store, int in_flight_max) : store_(store), in_flight_max_(in_flight_max) {}
  ~Flight() { Wait(); }

  // Waits until there is room for these; more than the maximum go alone.
  void Send(eventstore::AppendRequest request, Answered answered);
  // Waits until none is.
  void Wait();

 private:
  eventstore::EventStore& store_;
  const int in_flight_max_;
  std::mutex mutex_;
  std::condition_variable landed_;
  int in_flight_ = 0;
};

}  // namespace qinglan::bench
