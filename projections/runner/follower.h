// Part of the runner: one thread, one subscription, and the builds near the head that it keeps up to date.
// Builds join and leave between batches. What all of them made of a batch is stored in one write, so that
// they are at one position at every moment, but for those that stopped.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/rebuild/routing.h"
#include "projections/runner/board.h"
#include "projections/runner/build.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

struct FollowerOptions {
  size_t live_batch_events = 512;
  size_t catch_up_batch_events = 8192;
  absl::Duration wait;
  absl::Duration retry_first;
  absl::Duration retry_max;
};

// Thread-safe.
class Follower {
 public:
  // `caught_up` is called from the follower's thread, again and again until it returns true.
  Follower(eventstore::EventStore* store, ViewStore* view_store, Board* board, FollowerOptions options,
           std::function<bool(const ViewId&)> caught_up);
  ~Follower();

  void Start();
  void Join(std::shared_ptr<Build> build);  // from the next batch on
  void Leave(const ViewId& view);           // returns when it is not worked at any more
  void Stop();                              // after the batch under way

 private:
  void Run();
  // Takes in who joins and lets go who leaves; false when stopping. Waits while there is nobody to follow
  // for.
  bool Arrange() ABSL_LOCKS_EXCLUDED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Step();
  absl::Status ReadCheckpoints();
  void HandOut(const eventstore::EventView& event);
  void ApplyTo(Build& build, const eventstore::EventView& event);
  absl::Status Commit(const eventstore::Progress& progress);
  void Arrive(Build& build, const eventstore::Progress& progress);
  void StopBuild(Build& build, const absl::Status& why);
  void Retry(const absl::Status& why);
  bool Following() const;

  eventstore::EventStore* const store_;
  ViewStore* const view_store_;
  Board* const board_;
  const FollowerOptions options_;
  const std::function<bool(const ViewId&)> caught_up_hook_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::vector<std::shared_ptr<Build>> joining_ ABSL_GUARDED_BY(mutex_);
  std::vector<ViewId> leaving_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<eventstore::Subscription> subscription_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  // The thread's own.
  std::vector<std::shared_ptr<Build>> builds_;
  Routing routing_;
  bool caught_up_ = false;
  bool unsure_ = false;   // what is stored, after a failure
  absl::Status refused_;  // by the view store, in the middle of a batch
  absl::Duration pause_;  // before the next attempt; zero while all goes well

  std::thread thread_;
};

}  // namespace qinglan::projections
