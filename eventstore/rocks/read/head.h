// The head that readers see, and the place where followers wait for it to move.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "eventstore/event.h"

namespace qinglan::eventstore::rocks {

// Thread-safe.
class Head {
 public:
  explicit Head(Position position) : position_(position.value) {}

  Position Get() const { return Position(position_.load(std::memory_order_acquire)); }

  // Everything up to `position` is stored; from now on readers see it.
  void Publish(Position position);

  // Waits until the head is past `position`, `cancelled` is true, the store closes, or `deadline`.
  void WaitPast(Position position, const std::atomic<bool>& cancelled,
                std::chrono::steady_clock::time_point deadline);
  // Makes the waiting look again.
  void Wake();

  // A follower is inside the store between Enter() and Leave(). Enter() is false once the store is closing.
  [[nodiscard]] bool Enter();
  void Leave();
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Lets nobody in any more and returns when everybody has left.
  void Close();

 private:
  std::atomic<uint64_t> position_;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
};

}  // namespace qinglan::eventstore::rocks
