#include "services/eventstore/client/remote_subscription.h"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <string>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::eventstore::remote {
namespace {

// So long a batch waits for more of what is known to be there, before it is handed over as it is.
constexpr absl::Duration kMoreWait = absl::Milliseconds(20);

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> RemoteSubscription::Open(const Connection& connection,
                                                                       std::shared_ptr<Followers> followers,
                                                                       absl::Duration timeout,
                                                                       const Query& query, Position after) {
  auto subscription =
      std::make_unique<RemoteSubscription>(connection, std::move(followers), timeout, query, after);
  QL_ASSIGN_OR_RETURN(const bool received, subscription->Receive(absl::Now() + timeout));
  if (!received) return absl::UnavailableError("the event store gave no answer in time");
  return subscription;
}

RemoteSubscription::RemoteSubscription(const Connection& connection, std::shared_ptr<Followers> followers,
                                       absl::Duration timeout, const Query& query, Position after)
    : connection_(connection), followers_(std::move(followers)), timeout_(timeout), query_(query) {
  received_.position = position_ = after;
  followers_->Add(this);
}

RemoteSubscription::~RemoteSubscription() {
  followers_->Remove(this);
  Drop();
}

void RemoteSubscription::Drop() {
  if (stream_ == nullptr) return;
  stream_->Cancel();
  stream_->Leave();
  stream_ = nullptr;
}

absl::StatusOr<Progress> RemoteSubscription::Next(size_t limit, absl::Duration wait, EventVisitor visit) {
  if (!followers_->Enter()) return absl::CancelledError("the event store's client has closed");
  const absl::Cleanup leave = [this] { followers_->Leave(); };  // the visitor may throw
  auto progress = Follow(limit, absl::Now() + std::max(wait, absl::ZeroDuration()), visit);
  if (!progress.ok()) Drop();
  return progress;
}

absl::StatusOr<Progress> RemoteSubscription::Follow(size_t limit, absl::Time until, EventVisitor visit) {
  size_t handed_over = 0;
  while (true) {
    if (signal_->Interrupted()) return absl::CancelledError("the subscription was ended");
    QL_ASSIGN_OR_RETURN(const bool go_on, HandOver(limit, visit, handed_over));
    const Progress now = Now();
    // A batch ends where the log did when the server read it, as the embedded store's does.
    const bool at_the_end = received_.caught_up && batch_.empty();
    if (!go_on || handed_over >= limit || (handed_over > 0 && at_the_end)) return now;
    // What is known to be there is waited for, as the embedded store would read it.
    absl::Time patience = until;
    if (handed_over > 0) {
      patience = absl::Now() + kMoreWait;
    } else if (!now.caught_up) {
      patience = std::max(until, absl::Now() + timeout_);
    }
    QL_ASSIGN_OR_RETURN(const bool received, Receive(patience));
    if (!received && !signal_->Interrupted()) return Now();
  }
}

absl::StatusOr<bool> RemoteSubscription::HandOver(size_t limit, EventVisitor visit, size_t& handed_over) {
  while (!batch_.empty() && handed_over < limit) {
    const EventView* event = batch_.Next();
    if (event == nullptr) return absl::InternalError("the bytes are no Event");
    position_ = event->position;
    ++handed_over;
    if (!visit(*event)) return false;
    if (signal_->Interrupted()) return absl::CancelledError("the subscription was ended");
  }
  if (batch_.empty()) position_ = received_.position;
  return true;
}

Progress RemoteSubscription::Now() const {
  const bool caught_up =
      received_.caught_up && batch_.empty() && received_.position >= followers_->known_head();
  return {position_, caught_up};
}

absl::StatusOr<bool> RemoteSubscription::Receive(absl::Time until) {
  while (true) {
    if (stream_ == nullptr) {
      if (absl::Now() < reopen_at_) signal_->Sleep(std::min(until, reopen_at_));
      if (signal_->Interrupted() || absl::Now() < reopen_at_) return false;
      std::string request;
      EncodeSubscribe(query_, received_.position, request);
      stream_ =
          MessageStream::Open(connection_, connection_.methods().subscribe, std::move(request), signal_);
      heard_ = absl::Now();
    }
    grpc::ByteBuffer message;
    switch (stream_->Wait(std::min(until, heard_ + kSilenceMax), message)) {
      case MessageStream::Got::kMessage:
        bytes_ = FlatBytes(message);
        QL_RETURN_IF_ERROR(Take());
        return true;
      case MessageStream::Got::kEnd: {
        const absl::Status status = stream_->status();
        Drop();
        // Who was let in once may have a token that ran out, or find the server busy: the next attempt asks
        // for the token anew.
        const bool passes = let_in_ && (absl::IsUnauthenticated(status) || absl::IsResourceExhausted(status));
        if (!status.ok() && !IsBroken(status) && !passes) return status;
        reopen_at_ = absl::Now() + backoff_.Next();
        break;
      }
      case MessageStream::Got::kNothing:
        if (signal_->Interrupted()) return false;
        if (absl::Now() >= heard_ + kSilenceMax) Drop();
        if (absl::Now() >= until) return false;
        break;
    }
  }
}

absl::Status RemoteSubscription::Take() {
  if (!batch_.Open(bytes_.view())) return absl::InternalError("the bytes are no SubscribeResponse");
  received_ = batch_.progress();
  heard_ = absl::Now();
  let_in_ = true;
  backoff_.Reset();
  followers_->Learn(received_.position);
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::remote
