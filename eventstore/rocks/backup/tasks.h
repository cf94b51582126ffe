// Threads that do what they are given, in the order in which it comes.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace qinglan::eventstore::rocks {

// Thread-safe.
class Tasks {
 public:
  using Task = std::function<absl::Status()>;

  // At most `waiting_max` tasks wait for a thread.
  Tasks(size_t threads, size_t waiting_max);
  // Waits for tasks under way; those that wait are not begun.
  ~Tasks();
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  // Waits until the task may wait. The failure of the first task that failed: from then on none is begun.
  absl::Status Add(Task task);
  // Waits until all is done. Nothing may be added afterwards.
  absl::Status Finish();

 private:
  void Run();
  bool CanAdd() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool CanTake() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const size_t waiting_max_;
  mutable absl::Mutex mutex_;
  std::deque<Task> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace qinglan::eventstore::rocks
