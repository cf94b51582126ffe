// The log's contract. Every implementation keeps every promise below and proves it under tests/contract/.
//
//   G1 An acknowledged append is on stable storage.
//   G2 A commit is all or nothing, its events adjacent.
//   G3 Positions are gapless from 1 and visible in order; recorded_at never goes back.
//   G4 The condition is checked atomically with the append.
//   G5 The same commit again gets the first answer, for ever.
//   G6 A subscription has no gap and no repeat.
//   G7 Damage is DATA_LOSS with the position, never skipped.
//   G8 Limits are named and answered clearly.
//   G9 Cost does not grow with the log.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"

namespace qinglan::eventstore {

// Limits (G8). What breaks one is INVALID_ARGUMENT and stores nothing; a full queue is RESOURCE_EXHAUSTED.
inline constexpr size_t kTypeBytesMax = 200;
inline constexpr size_t kTagBytesMax = 200;
inline constexpr size_t kTagsPerEventMax = 64;
inline constexpr size_t kPayloadBytesMax = 256 * 1024;
inline constexpr size_t kEventsPerCommitMax = 1000;
inline constexpr size_t kCommitBytesMax = 4 * 1024 * 1024;
inline constexpr size_t kCommitIdBytesMax = 100;
inline constexpr size_t kFingerprintBytesMax = 64;
inline constexpr size_t kActorBytesMax = 200;
inline constexpr size_t kQueryItemsMax = 100;
inline constexpr size_t kQueryTermsMax = 1000;  // types and tags of all items together

// Refuses the append when an event after `after` matches the query: what the writer read is no longer all
// there is.
struct AppendCondition {
  Query fail_if_events_match;
  Position after;
};

// One commit: its events become visible together, adjacent and in this order, or not at all.
struct AppendRequest {
  std::string commit_id;    // the caller's; the key of idempotence
  std::string fingerprint;  // a hash of what was asked, so that a reused commit_id is told from a retry
  std::string actor;        // an opaque id of who asked
  std::string correlation_id;
  std::string causation_id;
  std::vector<NewEvent> events;  // at least one
  std::optional<AppendCondition> condition;
};

struct Appended {
  Position first;
  Position last;
  absl::Time recorded_at;
  bool replayed = false;  // true when this commit had been stored before and this is its first answer again
};

struct ReadOptions {
  Position after;                 // only events past this one
  std::optional<Position> up_to;  // and none past this one; default: the head at the time of the call
  size_t limit = SIZE_MAX;        // at most so many events
  bool backwards = false;         // newest first
};

// Called once an event in order; false ends the read early.
using EventVisitor = absl::FunctionRef<bool(const EventView&)>;

struct Progress {
  Position position;       // every matching event up to here has been handed over
  bool caught_up = false;  // the head when Next() returned
};

// A place in the log that moves on. Not thread-safe but for Cancel(). It must not outlive its store.
class Subscription {
 public:
  virtual ~Subscription() = default;

  // Hands over the next matching events, at most `limit`; waits up to `wait` for one when there is none. A
  // caller that is slow holds up nobody else. The visitor's false ends this batch after that event. CANCELLED
  // after Cancel() or when the store closes; DATA_LOSS as in Read().
  [[nodiscard]] virtual absl::StatusOr<Progress> Next(size_t limit, absl::Duration wait,
                                                      EventVisitor visit) = 0;

  // Ends a waiting Next() and every later one. From any thread.
  virtual void Cancel() = 0;
};

// Thread-safe.
class EventStore {
 public:
  using AppendDone = std::function<void(absl::StatusOr<Appended>)>;

  virtual ~EventStore() = default;

  // Stores one commit and calls `done` once, when it is on stable storage or known not to be stored: on a
  // thread of the store's, or on this one, before this returns, when it is refused without having had to
  // wait. `done` must be quick; what it appends is checked on its thread. The calling thread may read from
  // the disk, for as long as it takes to check the condition; it never waits for the write.
  // Errors:
  //   ABORTED             the condition failed; ConflictPosition() tells the event
  //   ALREADY_EXISTS      commit_id was used with another fingerprint
  //   INVALID_ARGUMENT    a limit or the request's form; the message names the field
  //   RESOURCE_EXHAUSTED  the queue is full, or the disk
  //   UNAVAILABLE         the store is closing or its disk failed; the outcome may be unknown: ask again with
  //                       the same id
  //   DATA_LOSS           id or condition could not be looked up because what is stored is damaged
  virtual void Append(AppendRequest request, AppendDone done) = 0;

  // A request, and whom to answer.
  struct PendingAppend {
    AppendRequest request;
    AppendDone done;
  };
  // Append() for each. Each succeeds or fails alone; those that are stored are stored in this order, others'
  // commits between them or not. Answers may come in another order: a refusal comes at once. One write may
  // serve many of them.
  virtual void AppendAll(std::vector<PendingAppend> appends) {
    for (PendingAppend& append : appends) Append(std::move(append.request), std::move(append.done));
  }

  // Append() for a caller that has nothing else to do: the store may write on this very thread, for as long
  // as the disk takes, and call `done` on it before it returns, so that no other thread has to be woken. The
  // answer may come before those of appends that were begun earlier and are not answered yet. `done` must not
  // call this again: each would begin on top of the one before.
  virtual void AppendHere(AppendRequest request, AppendDone done) {
    Append(std::move(request), std::move(done));
  }

  // Append(), waiting for the answer.
  [[nodiscard]] absl::StatusOr<Appended> AppendAndWait(AppendRequest request);

  // Hands matching events to `visit` in order of position. Returns the position up to which the log was read:
  // everything that matches at or before it (and after options.after) has been handed over, unless the
  // visitor or the limit ended it early, when it is the last event handed over. Cost: proportional to the
  // events that bear the rarest tag of each item, not to the log. DATA_LOSS with the position when a record
  // is damaged.
  [[nodiscard]] virtual absl::StatusOr<Position> Read(const Query& query, const ReadOptions& options,
                                                      EventVisitor visit) const = 0;

  // Where a commit is, and the fingerprint it was stored with. NOT_FOUND when there is none.
  struct Commit {
    Appended appended;
    std::string fingerprint;
  };
  [[nodiscard]] virtual absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const = 0;

  // The last position that a reader can see.
  [[nodiscard]] virtual absl::StatusOr<Position> Head() const = 0;

  // The last position recorded at or before `instant`: what was known then is the log up to here. For an
  // instant that is over by the store's clock the answer is final: no later event is recorded at or before
  // it. Waits for a commit that is being stored and was recorded by then.
  [[nodiscard]] virtual absl::StatusOr<Position> HeadAt(absl::Time instant) const = 0;

  // Follows the events that match, from the one after `after` on. INVALID_ARGUMENT when `after` is past the
  // head.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(Query query,
                                                                                Position after) = 0;
};

// The event that a failed condition met, when `status` is such a conflict.
std::optional<Position> ConflictPosition(const absl::Status& status);
absl::Status ConflictError(Position position);

// DATA_LOSS that names the place.
absl::Status DataLossError(Position position, std::string_view what);

// INVALID_ARGUMENT when a request breaks a limit or its form; every implementation asks this first.
absl::Status CheckRequest(const AppendRequest& request);
absl::Status CheckQuery(const Query& query);

}  // namespace qinglan::eventstore
