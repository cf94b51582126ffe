// The one writer of the log: takes all that waits, decides each request in order, writes once, syncs once,
// and has it acknowledged in order. A condition was looked up by the thread that asked, before the request
// was queued (check_ahead.h); the writer looks at what has come since. As a rule that is a thread of its own;
// while appends come one at a time, a caller that would only wait for it writes in its place, for to wake a
// thread costs about a fifth of a sync.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/index/index.h"
#include "eventstore/rocks/read/head.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/tree/tree.h"
#include "eventstore/rocks/write/acknowledger.h"
#include "eventstore/rocks/write/batch.h"

namespace qinglan::eventstore::rocks {

struct QueueLimits {
  size_t events_max = 0;
  size_t bytes_max = 0;
};

// Thread-safe. `database`, `index`, `tree` and `head` must outlive it.
class Committer {
 public:
  Committer(Database& database, Index& index, Tree& tree, Head& head, LogEnd end,
            std::function<absl::Time()> clock, QueueLimits limits);
  // Answers all that waits, then stops.
  ~Committer();

  // EventStore::AppendAll() for requests that CheckRequest() takes. May read from the disk, and holds no lock
  // meanwhile.
  void Submit(std::vector<EventStore::PendingAppend> appends);
  // The same for one, and the caller's thread writes itself when nobody does and appends come one at a time.
  // `done` is then the last that is done: it may end the committer's life.
  void CommitOrSubmit(AppendRequest request, EventStore::AppendDone done);

  // From its return on nothing more becomes visible that was recorded at or before `instant`, as far as the
  // clock has come to it. Waits for a write under way that was.
  void Settle(absl::Time instant);

 private:
  struct Waiting {
    AppendRequest request;
    EventStore::AppendDone done;
    size_t bytes;
    Position clear_up_to;  // nothing meets its condition: CheckAhead()
  };

  // What it throws ends the process, as of Commit().
  Waiting LookAhead(EventStore::PendingAppend append) const noexcept;
  void Enqueue(std::vector<Waiting> appends);
  // RESOURCE_EXHAUSTED or UNAVAILABLE when it cannot be queued. With the lock held.
  absl::Status CheckRoom(const Waiting& append) const;
  void Run();
  // Waits for work and for the writer's role; no work means that it is time to stop.
  std::vector<Waiting> Take();
  // Gives the writer's role back, which began with `taken` commits.
  void Leave(size_t taken);
  // What it throws ends the process: gRPC would swallow it on a thread of its own, and nobody could tell how
  // far the log had got.
  std::vector<Acknowledger::Answer> Commit(std::vector<Waiting>& taken) noexcept;
  absl::StatusOr<Appended> Decide(const Waiting& waiting, Batch& batch) const;
  absl::Status CheckCondition(const Waiting& waiting, const Batch& batch) const;
  absl::Status Write(Batch& batch);
  // The time of the next batch, which is being written until EndWriting().
  absl::Time BeginWriting();
  void EndWriting();
  // What must be so before anything can be stored.
  absl::Status Prepare();
  // After a write that failed: brings RocksDB back and finds out where the log really ends.
  absl::Status Recover();

  Database& database_;
  Index& index_;
  Tree& tree_;
  Head& head_;
  const std::function<absl::Time()> clock_;
  const QueueLimits limits_;

  // Of who has the writer's role.
  LogEnd end_;
  absl::Status failure_;  // of the last write, as long as Recover() has not succeeded since

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Waiting> queue_;
  size_t queued_events_ = 0;
  size_t queued_bytes_ = 0;
  bool closing_ = false;
  bool busy_ = false;          // somebody has the writer's role
  bool one_at_a_time_ = true;  // the last batch was of one commit, and none had come meanwhile

  std::mutex times_mutex_;
  std::condition_variable written_;
  absl::Time settled_ = absl::InfinitePast();  // batches get a later time
  std::optional<absl::Time> writing_;          // the time of the batch that is being written
  uint64_t ended_ = 0;                         // batches that were written, or failed

  Acknowledger acknowledger_;
  std::thread thread_;  // last, so that it starts when all else is there
};

}  // namespace qinglan::eventstore::rocks
