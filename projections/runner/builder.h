// Part of the runner: one thread that brings builds far from the head near to it, beside whatever answers,
// and then hands them to the follower. Builds that were asked for together share one scan of the log.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/rebuild/rebuild.h"
#include "projections/runner/board.h"
#include "projections/runner/build.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

struct BuilderOptions {
  uint64_t near_events = 0;  // from the head: near enough to hand over
  size_t memory_bytes_max = 0;
  absl::Duration retry_first;
  absl::Duration retry_max;
};

// Thread-safe.
class Builder {
 public:
  using Group = std::vector<std::shared_ptr<Build>>;

  // `near` is called from the builder's thread.
  Builder(eventstore::EventStore* store, ViewStore* view_store, Board* board, BuilderOptions options,
          std::function<void(std::shared_ptr<Build>)> near);
  ~Builder();

  void Start();
  void Add(Group group);           // after those that were added before
  void Leave(const ViewId& view);  // returns when it is not worked at any more
  void Stop();                     // what is not stored is read again by the next start

 private:
  void Run();
  // Until all of the group that can be are near the head.
  void BringNear(Group& group);
  absl::Status BuildOnce(Group& group);
  bool AnyInPieces(const Group& group) const;
  // Those that have rows; the others are built, if only to be put together. True when some are left.
  absl::StatusOr<bool> HandOverNear(Group& group);
  // What is left to do after an attempt that ended so.
  absl::StatusOr<bool> Left(Group& group, const absl::Status& built);
  // Hands over after a failure, when what is stored may be more than was told.
  absl::StatusOr<bool> HandOverSure(Group& group);
  void Tell(const Build& build);  // how far it has come, on its way
  void StopBuild(Build& build, const absl::Status& why);
  void DropLeaving(Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Pause(absl::Duration pause) ABSL_LOCKS_EXCLUDED(mutex_);  // false when stopping

  eventstore::EventStore* const store_;
  ViewStore* const view_store_;
  Board* const board_;
  const BuilderOptions options_;
  const std::function<void(std::shared_ptr<Build>)> near_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<Group> waiting_ ABSL_GUARDED_BY(mutex_);
  std::set<ViewId> working_ ABSL_GUARDED_BY(mutex_);  // in the group under way
  std::set<ViewId> leaving_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace qinglan::projections
