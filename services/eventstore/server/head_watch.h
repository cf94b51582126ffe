// Wakes followers that have read all there is, when the log grows. One thread for all of them: a follower
// that waits costs no thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "eventstore/event_store.h"

namespace qinglan::eventstore::remote {

class HeadWaiter {
 public:
  // The head is past what was waited at, or the time is over. On the watch's thread; must be quick.
  virtual void Wake() = 0;

 protected:
  ~HeadWaiter() = default;
};

// Thread-safe. The store must outlive it; at its end nobody may wait.
class HeadWatch {
 public:
  explicit HeadWatch(EventStore& store);
  ~HeadWatch();

  // Wakes the waiter once, when the head is past `position` or at `until`. False, and it is not woken, when
  // the head is past it already.
  [[nodiscard]] bool Wait(HeadWaiter* waiter, Position position, absl::Time until);
  // True when the waiter waited; it will not be woken then. False when it has been, or is about to be.
  bool Forget(HeadWaiter* waiter);

 private:
  struct Waiting {
    Position position;
    absl::Time until;
  };

  void Run();
  // Returns when the head is past `position`, at `until`, or soon after the store has failed.
  void Await(Position position, absl::Time until);

  EventStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<HeadWaiter*, Waiting> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace qinglan::eventstore::remote
