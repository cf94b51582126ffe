#include "tests/fault/disk/held_read.h"

#include <chrono>
#include <utility>

namespace qinglan::fault {

void HeldRead::HoldMyNext(std::string suffix) {
  const std::lock_guard lock(mutex_);
  state_ = State::kToCome;
  suffix_ = std::move(suffix);
  reader_ = std::this_thread::get_id();
}

bool HeldRead::Await() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return state_ == State::kWaiting; });
}

void HeldRead::LetGo() {
  const std::lock_guard lock(mutex_);
  state_ = State::kNone;
  changed_.notify_all();
}

void HeldRead::Pass(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (state_ != State::kToCome || reader_ != std::this_thread::get_id() || !path.ends_with(suffix_)) return;
  state_ = State::kWaiting;
  changed_.notify_all();
  changed_.wait(lock, [&] { return state_ != State::kWaiting; });
}

}  // namespace qinglan::fault
