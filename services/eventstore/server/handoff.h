// Takes work off the committer's thread, which answers appends and should be at the next batch.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace qinglan::eventstore::remote {

// Something to do soon; it minds its own life.
class Task {
 public:
  virtual void Run() = 0;

 protected:
  ~Task() = default;
};

// Runs tasks on one thread of its own, in order. Thread-safe. Its end runs what waits.
class Handoff {
 public:
  Handoff();
  ~Handoff();

  void Add(Task* task);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Task*> tasks_;
  bool idle_ = false;  // the thread waits: only then need it be woken
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace qinglan::eventstore::remote
