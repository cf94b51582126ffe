#include "services/runtime/transport/workers.h"

#include <utility>

namespace qinglan::runtime {

Workers::Workers(size_t threads, size_t queue_max) : queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Workers::~Workers() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool Workers::Submit(std::function<void()> job) {
  absl::MutexLock lock(&mutex_);
  if (ending_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(job));
  return true;
}

bool Workers::SubmitAlways(std::function<void()> job) {
  absl::MutexLock lock(&mutex_);
  const bool at_once = free_ > queue_.size();
  queue_.push_back(std::move(job));
  return at_once;
}

void Workers::Work() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ending_ || !queue_.empty(); };
  while (true) {
    std::function<void()> job;
    {
      absl::MutexLock lock(&mutex_);
      ++free_;
      mutex_.Await(absl::Condition(&ready));
      --free_;
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace qinglan::runtime
