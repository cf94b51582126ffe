// A fixed number of threads that run what they are handed, in order of arrival: commands wait for the disk,
// and gRPC's own threads must not.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace qinglan::runtime {

// Thread-safe. Its end waits for what is running and for what is queued.
class Workers {
 public:
  Workers(size_t threads, size_t queue_max);
  ~Workers();

  // False, and nothing runs, when queue_max jobs are waiting already.
  [[nodiscard]] bool Submit(std::function<void()> job);

  // For those who bound by themselves how many of theirs wait at the most: on top of queue_max. True when a
  // thread is free for it, else it waits until one is.
  bool SubmitAlways(std::function<void()> job);

 private:
  void Work();

  const size_t queue_max_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  size_t free_ ABSL_GUARDED_BY(mutex_) = 0;  // threads; each of what is queued will take one
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace qinglan::runtime
