// What the client and its subscriptions share, which may outlive it: who is inside, and how far the log is
// known to go.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>

#include "eventstore/event.h"

namespace qinglan::eventstore::remote {

// A subscription, as the client sees it.
class Follower {
 public:
  // Ends a waiting Next() and every later one. From any thread.
  virtual void Interrupt() = 0;
  // Lets its call go. Nobody is inside.
  virtual void Drop() = 0;

 protected:
  ~Follower() = default;
};

// Thread-safe.
class Followers {
 public:
  void Add(Follower* follower);
  void Remove(Follower* follower);
  // A follower is inside Next() between Enter() and Leave(). Enter() is false once the client is closing.
  [[nodiscard]] bool Enter();
  void Leave();
  // Interrupts everybody, lets nobody in any more, and returns when all have left and no call is open.
  void Close();

  // The highest position that this client has been told of.
  Position known_head() const { return Position(known_head_.load()); }
  void Learn(Position position);

 private:
  std::atomic<uint64_t> known_head_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Follower*> followers_;
  int inside_ = 0;
  bool closed_ = false;
};

}  // namespace qinglan::eventstore::remote
