#include "services/eventstore/server/handoff.h"

namespace qinglan::eventstore::remote {

Handoff::Handoff() : thread_([this] { Work(); }) {}

Handoff::~Handoff() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Handoff::Add(Task* task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(task);
    wake = idle_;
    idle_ = false;
  }
  if (wake) arrived_.notify_one();
}

void Handoff::Work() {
  std::vector<Task*> tasks;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      while (tasks_.empty() && !ending_) {
        idle_ = true;
        arrived_.wait(lock);
      }
      if (tasks_.empty()) return;
      idle_ = false;
      tasks.swap(tasks_);
    }
    for (Task* task : tasks) task->Run();
    tasks.clear();
  }
}

}  // namespace qinglan::eventstore::remote
