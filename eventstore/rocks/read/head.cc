#include "eventstore/rocks/read/head.h"

namespace qinglan::eventstore::rocks {

void Head::Publish(Position position) {
  {
    const std::lock_guard lock(mutex_);
    position_.store(position.value, std::memory_order_release);
  }
  changed_.notify_all();
}

void Head::WaitPast(Position position, const std::atomic<bool>& cancelled,
                    std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return Get() > position || cancelled || closed(); });
}

void Head::Wake() {
  {
    const std::lock_guard lock(mutex_);
  }  // so that a waiter is either before its look or already waiting
  changed_.notify_all();
}

bool Head::Enter() {
  const std::lock_guard lock(mutex_);
  if (closed()) return false;
  ++inside_;
  return true;
}

void Head::Leave() {
  const std::lock_guard lock(mutex_);
  --inside_;
  changed_.notify_all();
}

void Head::Close() {
  std::unique_lock lock(mutex_);
  closed_.store(true, std::memory_order_release);
  changed_.notify_all();
  changed_.wait(lock, [&] { return inside_ == 0; });
}

}  // namespace qinglan::eventstore::rocks
