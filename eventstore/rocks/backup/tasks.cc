#include "eventstore/rocks/backup/tasks.h"

#include <utility>

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {

Tasks::Tasks(size_t threads, size_t waiting_max) : waiting_max_(waiting_max) {
  QL_CHECK(threads > 0 && waiting_max > 0, "tasks need somebody who does them, and room to wait");
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Tasks::~Tasks() {
  {
    const absl::MutexLock lock(&mutex_);
    waiting_.clear();
  }
  (void)Finish();
}

bool Tasks::CanAdd() const { return !failure_.ok() || waiting_.size() < waiting_max_; }
bool Tasks::CanTake() const { return closing_ || !failure_.ok() || !waiting_.empty(); }

absl::Status Tasks::Add(Task task) {
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Tasks::CanAdd));
  if (failure_.ok()) waiting_.push_back(std::move(task));
  return failure_;
}

void Tasks::Run() {
  for (;;) {
    Task task;
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &Tasks::CanTake));
      if (!failure_.ok() || waiting_.empty()) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const absl::Status status = task();
    const absl::MutexLock lock(&mutex_);
    failure_.Update(status);
  }
}

absl::Status Tasks::Finish() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  const absl::MutexLock lock(&mutex_);
  return failure_;
}

}  // namespace qinglan::eventstore::rocks
