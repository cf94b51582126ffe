// Keeps views up to date with the log, and lets an operator make them again while they answer.
//
// A view may have several builds: one for each version of the code, and one for each time that the code was
// asked to make it afresh (its generations). One of them answers; the others stand beside it until they are
// dropped, and are kept up to date as well, so that they can be compared with it and answer at once.
//
// One thread reads the log once for all builds near its head and hands each event to those that want it.
// Builds that have far to go share a second thread and one scan (rebuild/), so that they hold up nobody; near
// the head they join the first. Rows and checkpoints of a batch are stored together (exactly once).
//
// Which build answers changes by itself only when the one that did cannot be kept up to date any more (there
// is none yet; it is of a version that this program has no code of; the log is not the one it was made from):
// then one is built and answers once it has caught up. Until then the one that answered stands in, as it was
// left, if it is of an older version whose rows the code reads (Projection::oldest_readable_version()) and of
// this log; otherwise nobody answers, for rows of another version or another log might be read wrongly. In
// all other cases the operator decides.
//
// An event that a build cannot apply stops that build there, loudly, and no other; it goes on when the
// process starts again with code that can apply it. A disk that refuses a write is tried again, with pauses
// that grow to Options::retry_max.
//
// Thread-safe. The event store and the view store must outlive the runner.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/projection.h"
#include "projections/runner/board.h"
#include "projections/view_store/compare.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

// Whether anybody waits for what a comparison will say.
struct CompareLimits {
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> go_on = nullptr;  // asked now and then; none: yes
};

class Builder;
class Follower;
struct Build;

class Runner {
 public:
  struct Options {
    size_t live_batch_events = 512;
    size_t catch_up_batch_events = 8192;    // larger: a row that many events touch is written once
    uint64_t together_events_max = 20'000;  // a build with at most so far to go is read with the live ones
    absl::Duration wait = absl::Milliseconds(500);  // for the next event, before looking again
    size_t rebuild_memory_bytes_max = size_t{256} << 20;
    absl::Duration retry_first = absl::Milliseconds(100);
    absl::Duration retry_max = absl::Seconds(10);
  };

  Runner(eventstore::EventStore* store, ViewStore* views,
         std::vector<std::unique_ptr<Projection>> projections, Options options);
  Runner(eventstore::EventStore* store, ViewStore* views,
         std::vector<std::unique_ptr<Projection>> projections)
      : Runner(store, views, std::move(projections), Options()) {}
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Opens what is stored, makes builds of what is not, and starts to follow. Once. ALREADY_EXISTS when two
  // projections are the same version of the same view; the errors of the two stores.
  [[nodiscard]] absl::Status Start();
  // Ends the threads after the batch they are at. Waiters are told UNAVAILABLE.
  void Stop();

  [[nodiscard]] absl::StatusOr<ViewStatus> Status(const ViewId& view) const;  // NOT_FOUND
  [[nodiscard]] absl::StatusOr<std::vector<ViewStatus>> Statuses() const;     // every build, by name

  // Returns when the build's rows hold everything up to `position`; see Board::WaitFor().
  [[nodiscard]] absl::Status WaitFor(const ViewId& view, eventstore::Position position,
                                     absl::Time deadline) const;
  // The rows of the build that answers for the view, as soon as they hold everything up to `position`; see
  // Board::WaitForAnswer(). What stands in answers with rows that say how far they are, and grow no newer.
  [[nodiscard]] absl::StatusOr<ViewSnapshot> Rows(std::string_view name, eventstore::Position position,
                                                  absl::Time deadline) const;

  // The views that there is code for, in order.
  std::vector<std::string> Names() const;
  // Begins to make these views afresh, all in one scan, beside what answers. The builds; for a view of which
  // one is on its way already, that one. NOT_FOUND, naming the view.
  [[nodiscard]] absl::StatusOr<std::vector<ViewId>> Rebuild(const std::vector<std::string>& names,
                                                            WhenThere when_there);
  // The build answers from now on. NOT_FOUND; FAILED_PRECONDITION when it is not near the head or cannot be
  // kept there: an older version's build, too, though it may have stood in, for another's rows are newer by
  // then. The program of that version takes it up again.
  [[nodiscard]] absl::Status Switch(const ViewId& view);
  // Forgets the build. NOT_FOUND; FAILED_PRECONDITION when it answers.
  [[nodiscard]] absl::Status Drop(const ViewId& view);
  // Compares two builds row by row at one position. A build that stands still is compared with what the
  // other's code makes of the log up to there, which takes as long as building it. NOT_FOUND;
  // FAILED_PRECONDITION when neither can be brought to the other's position; DEADLINE_EXCEEDED when they are
  // not at one by `meet_by`, or when the limits' is over; CANCELLED when they say so; UNAVAILABLE after
  // Stop().
  [[nodiscard]] absl::StatusOr<Comparison> Compare(const ViewId& first, const ViewId& second,
                                                   size_t shown_max, absl::Time meet_by,
                                                   const CompareLimits& limits = {});

 private:
  // A stored build that this program can keep up to date, or none.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<Build>> OpenStored(const ViewId& view,
                                                                  eventstore::Position head);
  // A stored build that this program cannot keep up to date: it may stand in.
  [[nodiscard]] absl::Status LetRest(const ViewId& view, const Checkpoint& checkpoint, bool in_pieces,
                                     eventstore::Position head);
  [[nodiscard]] absl::Status OpenBuilds(eventstore::Position head,
                                        std::vector<std::shared_ptr<Build>>& builds);
  [[nodiscard]] absl::Status ChooseAnswering(const std::vector<std::shared_ptr<Build>>& builds);
  [[nodiscard]] absl::StatusOr<std::shared_ptr<Build>> MakeNext(const Projection& code, WhenThere when_there);
  // Takes back what MakeNext() made, before anybody worked at it.
  void Forget(const std::vector<std::shared_ptr<Build>>& builds);
  // Of a build on its way, which may arrive in this moment.
  [[nodiscard]] absl::Status LetAnswerWhenThere(const ViewId& view);
  ViewId NextGeneration(const Projection& code) const;
  const Projection* FindCode(std::string_view name, uint32_t version) const;
  const Projection* NewestCode(std::string_view name) const;
  bool IsReadable(const ViewId& view) const;  // of an older version whose rows are understood
  bool CaughtUp(const ViewId& view);          // false: to be asked again
  [[nodiscard]] absl::StatusOr<Comparison> CompareAt(const ViewSnapshot& still, const ViewId& other,
                                                     bool still_is_first, size_t shown_max,
                                                     const std::function<absl::Status()>& may_go_on);

  eventstore::EventStore* const store_;
  ViewStore* const view_store_;
  const Options options_;
  const std::vector<std::unique_ptr<Projection>> codes_;
  Board board_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex operations_mutex_;  // one operator's wish at a time
  absl::Mutex switch_mutex_;      // the store and the board agree on what answers
  std::unique_ptr<Follower> follower_;
  std::unique_ptr<Builder> builder_;
};

}  // namespace qinglan::projections
