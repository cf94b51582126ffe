// The event store of another process, and its proofs: the same contracts over gRPC
// (services/eventstore/server is the other half). Every limit is checked here first, so what is refused costs
// no call.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"

namespace qinglan::eventstore {

// Thread-safe. The destructor waits up to 5 seconds for appends that have no answer yet (what has none by
// then is UNAVAILABLE), cancels every subscription and waits until no follower is inside; calls of other
// methods must have returned, and it must not run inside a callback of its own.
//
// A server that goes is waited for: a call that may be repeated is repeated with growing pauses (20 ms to
// 500 ms) until `timeout` is over, and is UNAVAILABLE then; a subscription goes on by itself from where it
// was, for as long as it takes. Appends in flight are sent again, which stores them once (G5): an answer is
// then `replayed` when the first attempt had reached the log.
//
// Errors besides the contract's: UNAUTHENTICATED and PERMISSION_DENIED when the server does not let the token
// in; of proofs, UNIMPLEMENTED when it is of a version without them, RESOURCE_EXHAUSTED when too much waits
// there, and INTERNAL when it answered what cannot be an answer (client/remote_proofs.h).
class RemoteEventStore final : public EventStore, public ProvableLog {
 public:
  struct Options {
    std::string target;                          // "127.0.0.1:7411"
    std::function<std::string()> token;          // the bearer token; asked anew for every call and stream
    absl::Duration timeout = absl::Seconds(30);  // of an answer, or of a reader's next message
    size_t queue_events_max = 20'000;  // of appends that have no answer yet; one commit always may wait
    size_t queue_bytes_max = 64 * 1024 * 1024;
  };

  // UNAVAILABLE when no server answers within `timeout`.
  static absl::StatusOr<std::unique_ptr<RemoteEventStore>> Connect(const Options& options);
  ~RemoteEventStore() override;

  // Pipelined on one stream: answers come in the order of the calls.
  void Append(AppendRequest request, AppendDone done) override;
  absl::StatusOr<Position> Read(const Query& query, const ReadOptions& options,
                                EventVisitor visit) const override;
  absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const override;
  absl::StatusOr<Position> Head() const override;
  absl::StatusOr<Position> HeadAt(absl::Time instant) const override;

  // `caught_up` of its Next() is the server's word when it read the log, unless this client has learned of
  // something later since.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(Query query, Position after) override;

  absl::StatusOr<transparency::TreeHead> CurrentTree() const override;
  absl::StatusOr<transparency::TreeHead> TreeAt(Position head) const override;
  absl::StatusOr<std::string> LeafAt(Position position) const override;
  absl::StatusOr<transparency::Proof> ProveEvent(Position position, Position in) const override;
  absl::StatusOr<transparency::Proof> ProveExtension(Position from, Position to) const override;

 private:
  struct Parts;
  explicit RemoteEventStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan::eventstore
