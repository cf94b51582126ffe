#include "services/eventstore/client/followers.h"

namespace qinglan::eventstore::remote {

bool Followers::Enter(const std::shared_ptr<Signal>& signal) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  inside_.insert(signal);
  return true;
}

void Followers::Leave(const std::shared_ptr<Signal>& signal) {
  const std::lock_guard lock(mutex_);  // held while notifying: whoever closes may be gone right after
  inside_.erase(signal);
  changed_.notify_all();
}

void Followers::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (const auto& signal : inside_) signal->Interrupt();
  changed_.wait(lock, [&] { return inside_.empty(); });
}

void Followers::Learn(Position position) {
  uint64_t known = known_head_.load();
  while (known < position.value && !known_head_.compare_exchange_weak(known, position.value)) {
  }
}

}  // namespace qinglan::eventstore::remote
