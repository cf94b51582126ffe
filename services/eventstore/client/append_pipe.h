// Appends, pipelined on one stream that is opened again when it breaks.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "services/eventstore/client/connection.h"
#include "services/eventstore/client/followers.h"
#include "services/eventstore/client/pipe.h"

namespace qinglan::eventstore::remote {

struct PipeLimits {
  size_t events_max = 0;
  size_t bytes_max = 0;
  absl::Duration timeout;
};

// Thread-safe. The connection and the followers, who learn of what was stored, must outlive it.
class AppendPipe final : private Pipe {
 public:
  AppendPipe(const Connection& connection, PipeLimits limits, Followers& followers);
  ~AppendPipe();

  // EventStore::Append() for a request that has been checked.
  void Append(const AppendRequest& request, EventStore::AppendDone done);

 private:
  struct Pending {
    std::string bytes;  // an AppendRequest
    size_t events = 0;
    EventStore::AppendDone done;  // empty once it has been called
    absl::Time deadline;          // later for a later one
  };
  struct Answer {
    EventStore::AppendDone done;
    absl::StatusOr<Appended> outcome;
  };

  // With the lock held.
  absl::Status CheckRoom(const Pending& pending) const;
  void Reopen();
  std::deque<Pending>::iterator Drop(std::deque<Pending>::iterator pending);
  std::vector<Answer> FailAll(const absl::Status& status);
  std::vector<Answer> Expire(absl::Time now);

  // Without it.
  static void Deliver(std::vector<Answer>& answers);
  void Keep();

  // The answers of one message, to callers many of whom append again at once.
  void DeliverTogether(std::vector<Answer>& answers);

  void NextMessage(std::string& message) override;
  bool Take(Stream& stream, const grpc::ByteBuffer& message) override;
  void Ended(Stream& stream, const absl::Status& status, std::unique_lock<std::mutex>& lock) override;

  const PipeLimits limits_;
  Followers& followers_;

  std::deque<Pending> pending_;  // in order of the calls
  size_t sent_ = 0;              // so many of them are on the stream
  size_t events_ = 0;
  size_t bytes_ = 0;
  std::thread::id answering_;  // while it tells callers of answers; what they append meanwhile goes together
  bool closing_ = false;       // nothing new is taken
  bool closed_ = false;        // and nothing is opened again
  Backoff backoff_;
  absl::Time reopen_at_ = absl::InfinitePast();
  std::thread keeper_;  // opens again what broke, and answers what had no answer in time
};

}  // namespace qinglan::eventstore::remote
