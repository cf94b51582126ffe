#include "services/eventstore/server/subscribe_call.h"

#include <absl/time/clock.h>

#include <string>
#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

SubscribeCallReactor::SubscribeCallReactor(ServiceParts& parts,
                                           const google::protobuf::MethodDescriptor& method,
                                           grpc::CallbackServerContext& context,
                                           const grpc::ByteBuffer& request)
    : parts_(parts), gate_(parts.gate, context, method) {
  parts_.streams.Add(this);
  if (const absl::Status status = Start(request); !status.ok()) {
    Finish(ToGrpcStatus(status));
  } else {
    Submit();
  }
}

absl::Status SubscribeCallReactor::Start(const grpc::ByteBuffer& request) {
  QL_RETURN_IF_ERROR(Judge());
  SubscribeCall call;
  if (!DecodeSubscribe(FlatBytes(request).view(), call)) {
    return absl::InvalidArgumentError("the bytes are no SubscribeRequest");
  }
  QL_ASSIGN_OR_RETURN(subscription_, parts_.store.Subscribe(std::move(call.query), call.after));
  progress_.position = call.after;
  return absl::OkStatus();
}

absl::Status SubscribeCallReactor::Judge() {
  if (broken_) return absl::CancelledError("the call was ended");
  if (draining_) return absl::UnavailableError("the server is stopping");
  return gate_.Admit(absl::Now());
}

void SubscribeCallReactor::Submit() {
  if (parts_.workers.Submit([this] { Work(); })) return;
  Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many reads are waiting; try again"));
}

void SubscribeCallReactor::Work() {
  if (const absl::Status end = Judge(); !end.ok()) return Finish(ToGrpcStatus(end));
  std::string bytes;
  size_t count = 0;
  const auto progress =
      subscription_->Next(kMessageEventsMax, absl::ZeroDuration(), [&](const EventView& event) {
        AddEvent(event, bytes);
        MakeRoom(++count, bytes);
        return bytes.size() < kMessageEventBytesMax && !broken_;
      });
  if (!progress.ok()) {
    return Finish(ToGrpcStatus(absl::IsCancelled(progress.status())
                                   ? absl::UnavailableError("the event store is closing")
                                   : progress.status()));
  }
  const bool news = !bytes.empty() || progress->position != progress_.position || !written_;
  if (!news && absl::Now() < heartbeat_due_) return WaitForMore();
  progress_ = *progress;
  written_ = true;
  heartbeat_due_ = absl::Now() + kHeartbeat;
  AddProgress(progress_, bytes);
  outgoing_ = ToBuffer(std::move(bytes));
  StartWrite(&outgoing_);
}

void SubscribeCallReactor::OnWriteDone(bool ok) {
  if (!ok) broken_ = true;
  if (broken_ || draining_ || !progress_.caught_up) return Submit();
  WaitForMore();
}

void SubscribeCallReactor::WaitForMore() {
  const std::lock_guard lock(leaving_);
  const bool waiting = parts_.watch.Wait(this, progress_.position, heartbeat_due_);
  // Whoever ends the stream sets its flag first and asks the watch afterwards; here it is the other way
  // round, so one of the two sees the other.
  const bool ended = broken_ || draining_;
  if (!waiting || (ended && parts_.watch.Forget(this))) Submit();
}

void SubscribeCallReactor::OnCancel() {
  broken_ = true;
  if (parts_.watch.Forget(this)) Submit();
}

void SubscribeCallReactor::Drain() {
  draining_ = true;
  if (parts_.watch.Forget(this)) Submit();
}

void SubscribeCallReactor::OnDone() {
  parts_.streams.Remove(this);
  {
    const std::lock_guard lock(leaving_);
  }
  delete this;
}

}  // namespace qinglan::eventstore::remote
