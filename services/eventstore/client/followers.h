// What the client and its subscriptions share, which may outlive it: who is inside, and how far the log is
// known to go.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

#include "eventstore/event.h"
#include "services/eventstore/client/message_stream.h"

namespace qinglan::eventstore::remote {

// Thread-safe.
class Followers {
 public:
  // A follower is inside Next() between Enter() and Leave(). Enter() is false once the client is closing.
  [[nodiscard]] bool Enter(const std::shared_ptr<Signal>& signal);
  void Leave(const std::shared_ptr<Signal>& signal);
  // Interrupts everybody inside, lets nobody in any more, and returns when all have left.
  void Close();

  // The highest position that this client has been told of.
  Position known_head() const { return Position(known_head_.load()); }
  void Learn(Position position);

 private:
  std::atomic<uint64_t> known_head_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::shared_ptr<Signal>> inside_;
  bool closed_ = false;
};

}  // namespace qinglan::eventstore::remote
