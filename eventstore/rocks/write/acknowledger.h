// Tells callers what became of their appends, while the committer is at the next ones: an answer that goes
// out over the network costs about as much as the append itself.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <deque>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::eventstore::rocks {

// Thread-safe, but for one committer that calls it. Answers go out in the order in which they come in.
class Acknowledger {
 public:
  struct Answer {
    EventStore::AppendDone done;
    absl::StatusOr<Appended> appended;
    AppendRequest request = {};  // done with: comes along so that the committer need not take it apart
  };

  // Batches of answers that wait; the committer waits for room when there are more.
  static constexpr size_t kWaitingMax = 8;

  Acknowledger() : thread_([this] { Run(); }) {}
  // Returns when all have gone out.
  ~Acknowledger();

  // A single answer with none before it goes out on the caller's thread: nobody waits behind it, and handing
  // it over would only cost it time.
  void Acknowledge(std::vector<Answer> answers);

 private:
  void Run();

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<std::vector<Answer>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last, so that it starts when all else is there
};

}  // namespace qinglan::eventstore::rocks
