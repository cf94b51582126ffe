// Keeps views up to date with the log. One thread reads the log once for all views that are near its head and
// hands each event to those that want it; views that have far to go (a new version, built beside the old one)
// share a second thread, so that they hold up nobody. Each view's rows and checkpoint are stored together,
// batch by batch (exactly once).
//
// An event that a view cannot apply stops that view there, loudly, and no other. It stays stopped, its rows
// as they were before the batch, until the process starts again with code that can apply it.
//
// Thread-safe. The event store and the view store must outlive the runner.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/projection.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

enum class ViewState { kCatchingUp, kLive, kStopped };

struct ViewStatus {
  ViewId view;
  eventstore::Position position;  // every event up to here is in the rows
  eventstore::Position head;
  uint64_t lag = 0;  // head - position
  ViewState state = ViewState::kCatchingUp;
  absl::Status error;  // why it stopped
};

class Follower;  // one thread and the views that it serves
struct FollowedView;

class Runner {
 public:
  struct Options {
    size_t live_batch_events = 512;
    size_t catch_up_batch_events = 8192;     // larger: a row that many events touch is written once
    uint64_t together_events_max = 100'000;  // a view with at most so far to go is read with the live ones
    absl::Duration wait = absl::Milliseconds(500);  // for the next event, before looking whether to stop
  };

  Runner(eventstore::EventStore* store, ViewStore* views,
         std::vector<std::unique_ptr<Projection>> projections, Options options);
  Runner(eventstore::EventStore* store, ViewStore* views,
         std::vector<std::unique_ptr<Projection>> projections)
      : Runner(store, views, std::move(projections), Options()) {}
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Opens the views and starts to follow. Once. FAILED_PRECONDITION when a view has come further than the log
  // (the log was restored to an earlier state) or was made from another log; ALREADY_EXISTS when two
  // projections are the same version of the same view; the errors of the two stores.
  [[nodiscard]] absl::Status Start();
  // Ends the threads after the batch they are at. Waiters are told UNAVAILABLE.
  void Stop();

  [[nodiscard]] absl::StatusOr<ViewStatus> Status(const ViewId& view) const;  // NOT_FOUND
  [[nodiscard]] absl::StatusOr<std::vector<ViewStatus>> Statuses() const;     // in the order they were given

  // Returns when the view's rows hold everything up to `position`. DEADLINE_EXCEEDED; FAILED_PRECONDITION
  // when the view is stopped before that; UNAVAILABLE when the runner is; NOT_FOUND.
  [[nodiscard]] absl::Status WaitFor(const ViewId& view, eventstore::Position position,
                                     absl::Time deadline) const;

 private:
  [[nodiscard]] absl::StatusOr<eventstore::Position> OpenViews();
  const FollowedView* Find(const ViewId& view) const;

  eventstore::EventStore* store_;
  ViewStore* view_store_;
  Options options_;
  std::vector<std::unique_ptr<FollowedView>> views_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

}  // namespace qinglan::projections
