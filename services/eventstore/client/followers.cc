#include "services/eventstore/client/followers.h"

namespace qinglan::eventstore::remote {

void Followers::Add(Follower* follower) {
  const std::lock_guard lock(mutex_);
  followers_.insert(follower);
  if (closed_) follower->Interrupt();
}

void Followers::Remove(Follower* follower) {
  const std::lock_guard lock(mutex_);
  followers_.erase(follower);
}

bool Followers::Enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void Followers::Leave() {
  const std::lock_guard lock(mutex_);  // held while notifying: whoever closes may be gone right after
  --inside_;
  changed_.notify_all();
}

void Followers::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (Follower* follower : followers_) follower->Interrupt();
  changed_.wait(lock, [&] { return inside_ == 0; });
  for (Follower* follower : followers_) follower->Drop();
}

void Followers::Learn(Position position) {
  uint64_t known = known_head_.load();
  while (known < position.value && !known_head_.compare_exchange_weak(known, position.value)) {
  }
}

}  // namespace qinglan::eventstore::remote
