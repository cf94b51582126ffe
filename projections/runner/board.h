// Part of the runner: how far each build has come, which one answers, and who waits for either.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

enum class ViewState {
  kBuilding,    // far from the head: made in memory, beside whatever answers
  kCatchingUp,  // near the head
  kLive,        // at the head, or a batch behind it
  kRetrying,    // its disk refused a write: tried again by itself
  kStopped,     // an event could not be applied, or the log is not the one it was made from
  kResting,     // stored, but nobody follows it: no code of its version is here; it may stand in
};

std::string_view StateName(ViewState state);  // "building", ...

struct ViewStatus {
  ViewId view;
  eventstore::Position position;  // every event up to here is in the rows
  eventstore::Position head;
  uint64_t lag = 0;  // head - position
  ViewState state = ViewState::kCatchingUp;
  absl::Status error;             // why it stopped, or what it tries again
  eventstore::Position built_to;  // while it is built: read so far, in memory or stored in pieces
  bool answers = false;           // also when it stands in
};

// Thread-safe.
class Board {
 public:
  void Add(const ViewId& view, eventstore::Position position, ViewState state,
           absl::Status error = absl::OkStatus());
  void Remove(const ViewId& view);
  void Reach(const ViewId& view, eventstore::Position position, ViewState state);
  void ReachInMemory(const ViewId& view, eventstore::Position built_to);
  void Fail(const ViewId& view, ViewState state, const absl::Status& why);
  void SetAnswering(const ViewId& view);
  // The build stands still, and answers whoever asks for no more than it has, until another is told to
  // answer.
  void LetStandIn(const ViewId& view);
  void Expect(std::string_view name);  // a view that queries may ask for, though nothing answers yet
  void Close();                        // nobody follows any more

  std::optional<ViewId> Answering(std::string_view name) const;  // not what stands in
  // NOT_FOUND, here and below.
  [[nodiscard]] absl::StatusOr<ViewStatus> Describe(const ViewId& view, eventstore::Position head) const;
  std::vector<ViewStatus> DescribeAll(eventstore::Position head) const;

  // Returns when the build holds everything up to `position`. DEADLINE_EXCEEDED; FAILED_PRECONDITION when it
  // is stopped before that; UNAVAILABLE when nobody follows any more.
  [[nodiscard]] absl::Status WaitFor(const ViewId& view, eventstore::Position position,
                                     absl::Time deadline) const;
  // The build that answers for `name`, as soon as it holds everything up to `position`, whichever it is by
  // then. As above; UNAVAILABLE also when by the deadline none answers, or one stands in that does not hold
  // it and never will.
  [[nodiscard]] absl::StatusOr<ViewId> WaitForAnswer(std::string_view name, eventstore::Position position,
                                                     absl::Time deadline) const;

 private:
  struct Entry {
    eventstore::Position position;
    eventstore::Position built_to;
    ViewState state = ViewState::kCatchingUp;
    absl::Status error;
  };
  struct Answer {
    std::optional<ViewId> build;     // nothing while none answers that can be kept up to date
    std::optional<ViewId> stand_in;  // until then
  };
  ViewStatus Status(const ViewId& view, const Entry& entry, eventstore::Position head) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // True when waiting is over, `outcome` then says how.
  bool Decided(const ViewId& view, eventstore::Position position, absl::Status& outcome) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Whether what stands in holds everything up to `position`.
  bool StandInHolds(const Answer& answer, eventstore::Position position) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status Late(const ViewId& view, eventstore::Position position) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status NoneAnswers(std::string_view name, const Answer& answer, eventstore::Position position) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  mutable absl::CondVar changed_;
  std::map<ViewId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Answer, std::less<>> answering_ ABSL_GUARDED_BY(mutex_);  // by the view's name
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace qinglan::projections
