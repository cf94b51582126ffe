#include "services/eventstore/server/head_watch.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <vector>

#include "eventstore/check.h"

namespace qinglan::eventstore::remote {
namespace {

// One look at the log; so long a waiter that came later, or whose time is over, may have to wait besides.
constexpr absl::Duration kLookMax = absl::Milliseconds(200);
constexpr absl::Duration kAfterError = absl::Milliseconds(100);

}  // namespace

HeadWatch::HeadWatch(EventStore& store) : store_(store), thread_([this] { Run(); }) {}

HeadWatch::~HeadWatch() {
  {
    const std::lock_guard lock(mutex_);
    QL_CHECK(waiting_.empty(), "the followers have ended");
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool HeadWatch::Wait(HeadWaiter* waiter, Position position, absl::Time until) {
  {
    const std::lock_guard lock(mutex_);
    waiting_[waiter] = {position, until};
    if (waiting_.size() == 1) changed_.notify_one();
  }
  // What moved the head before this is told here; what moves it after is told by the thread, which waits at
  // no position that is past the head.
  const auto head = store_.Head();
  const bool past = !head.ok() || *head > position;
  return !(past && Forget(waiter));
}

bool HeadWatch::Forget(HeadWaiter* waiter) {
  const std::lock_guard lock(mutex_);
  return waiting_.erase(waiter) > 0;
}

void HeadWatch::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    Position furthest;
    for (const auto& [waiter, waiting] : waiting_) furthest = std::max(furthest, waiting.position);
    lock.unlock();
    Await(furthest, absl::Now() + kLookMax);
    const auto head = store_.Head();
    const absl::Time now = absl::Now();
    lock.lock();
    // With the lock held, so that Forget() knows.
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const bool due = !head.ok() || *head > it->second.position || now >= it->second.until;
      HeadWaiter* waiter = it->first;
      it = due ? waiting_.erase(it) : std::next(it);
      if (due) waiter->Wake();
    }
  }
}

void HeadWatch::Await(Position position, absl::Time until) {
  const auto head = store_.Head();
  if (head.ok() && *head > position) return;
  auto subscription = store_.Subscribe(Query::All(), position);
  const absl::Status seen =
      subscription.ok()
          ? (*subscription)->Next(1, until - absl::Now(), [](const EventView&) { return true; }).status()
          : subscription.status();
  if (!seen.ok()) absl::SleepFor(kAfterError);
}

}  // namespace qinglan::eventstore::remote
