// Part of the runner: one thread, one subscription, and the views that it keeps up to date.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/projection.h"
#include "projections/runner/runner.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

// A view and how far it has come. What the thread alone uses is below the line.
struct FollowedView {
  explicit FollowedView(std::unique_ptr<Projection> p);

  // Blocks until the rows hold everything up to `position`; see Runner::WaitFor().
  absl::Status WaitFor(eventstore::Position position, absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mutex);
  void Reach(eventstore::Position to, bool caught_up) ABSL_LOCKS_EXCLUDED(mutex);
  void Fail(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex);
  void Close() ABSL_LOCKS_EXCLUDED(mutex);  // nobody will follow any more
  ViewStatus Describe(eventstore::Position head) const ABSL_LOCKS_EXCLUDED(mutex);

  const std::unique_ptr<Projection> projection;
  const ViewId id;
  const eventstore::Query interest;

  mutable absl::Mutex mutex;
  mutable absl::CondVar changed;
  eventstore::Position position ABSL_GUARDED_BY(mutex);
  ViewState state ABSL_GUARDED_BY(mutex) = ViewState::kCatchingUp;
  absl::Status error ABSL_GUARDED_BY(mutex);
  bool closed ABSL_GUARDED_BY(mutex) = false;

  // --- the follower's thread only ---
  Checkpoint checkpoint;              // as stored
  Checkpoint pending;                 // as it will be when the batch is stored
  std::optional<PendingBatch> batch;  // while there is one and nothing has gone wrong in it
  bool stopped = false;
};

class Follower {
 public:
  Follower(eventstore::EventStore* store, ViewStore* view_store, std::vector<FollowedView*> views,
           const Runner::Options& options);
  ~Follower();

  absl::Status Start();  // subscribes from the lowest checkpoint of its views
  void Stop();

 private:
  void Run();
  bool Step();  // one batch; false when there is nothing left to follow
  void HandOut(const eventstore::EventView& event);
  void ApplyTo(FollowedView& view, const eventstore::EventView& event);
  void Commit(FollowedView& view, const eventstore::Progress& progress);
  void StopView(FollowedView& view, const absl::Status& why);

  eventstore::EventStore* store_;
  ViewStore* view_store_;
  std::vector<FollowedView*> views_;
  Runner::Options options_;
  // Who wants a type; those whose interest names no type want to see everything.
  absl::flat_hash_map<std::string, std::vector<FollowedView*>> by_type_;
  std::vector<FollowedView*> any_type_;

  std::unique_ptr<eventstore::Subscription> subscription_;
  bool caught_up_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace qinglan::projections
