// A subscription to a remote log that goes on over another call when its connection breaks.
#pragma once

#include <memory>

#include "eventstore/event_store.h"
#include "services/eventstore/client/connection.h"
#include "services/eventstore/client/followers.h"
#include "services/eventstore/client/message_stream.h"
#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

// A server that has been silent for so long is taken for gone: three heartbeats.
inline constexpr absl::Duration kSilenceMax = absl::Seconds(15);

// Keeps one message that was received and not yet handed over. May outlive the client; the connection is used
// only while `followers` lets it in.
class RemoteSubscription final : public Subscription, private Follower {
 public:
  // EventStore::Subscribe() for a query that has been checked. Waits for the server's first message.
  static absl::StatusOr<std::unique_ptr<Subscription>> Open(const Connection& connection,
                                                            std::shared_ptr<Followers> followers,
                                                            absl::Duration timeout, const Query& query,
                                                            Position after);
  RemoteSubscription(const Connection& connection, std::shared_ptr<Followers> followers,
                     absl::Duration timeout, const Query& query, Position after);
  ~RemoteSubscription() override;

  absl::StatusOr<Progress> Next(size_t limit, absl::Duration wait, EventVisitor visit) override;
  void Cancel() override { Interrupt(); }

 private:
  absl::StatusOr<Progress> Follow(size_t limit, absl::Time until, EventVisitor visit);
  // Hands over from the message at hand; false when the visitor ended it.
  absl::StatusOr<bool> HandOver(size_t limit, EventVisitor visit, size_t& handed_over);
  // Gets the next message until `until`; false when there was none. Opens the stream when there is none.
  absl::StatusOr<bool> Receive(absl::Time until);
  absl::Status Take();
  void Interrupt() override { signal_->Interrupt(); }
  void Drop() override;
  Progress Now() const;

  const Connection& connection_;
  const std::shared_ptr<Followers> followers_;
  const absl::Duration timeout_;
  const Query query_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();

  std::shared_ptr<MessageStream> stream_;
  Backoff backoff_;
  absl::Time reopen_at_ = absl::InfinitePast();
  bool let_in_ = false;                      // the server has answered
  absl::Time heard_ = absl::InfinitePast();  // when the server was last heard, or began to be waited for

  FlatBytes bytes_;    // of the message at hand
  EventBatch batch_;   // points into them
  Progress received_;  // at the end of the message at hand
  Position position_;  // of what was handed over
};

}  // namespace qinglan::eventstore::remote
