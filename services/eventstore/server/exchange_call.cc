#include "services/eventstore/server/exchange_call.h"

#include <absl/time/clock.h>

#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

ExchangeCall::ExchangeCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                           grpc::CallbackServerContext& context)
    : parts_(parts), gate_(parts.gate, context, method) {}

void ExchangeCall::Start() {
  parts_.streams.Add(this);
  Next next;
  {
    const std::lock_guard lock(mutex_);
    if (end_.ok()) end_ = gate_.Admit(absl::Now());
    if (end_.ok()) end_ = Enter();
    reads_ended_ = reads_ended_ || !end_.ok();
    next = Decide();
  }
  Do(next);
}

void ExchangeCall::OnReadDone(bool ok) {
  absl::Status refused;
  const absl::Time now = absl::Now();
  bool take = false;
  bool had_to_come = false;
  {
    const std::lock_guard lock(mutex_);
    taking_ = take = ok && !reads_ended_ && !broken_;
    had_to_come = now - asked_at_ > kHadWaited;
  }
  if (take) {
    refused = gate_.Admit(now);
    if (refused.ok()) refused = Take(FlatBytes(incoming_).view(), had_to_come);
    incoming_.Clear();
  }
  Next next;
  {
    const std::lock_guard lock(mutex_);
    reading_ = taking_ = false;
    if (!ok) reads_ended_ = true;
    if (!refused.ok() && !reads_ended_) {
      reads_ended_ = true;
      end_ = refused;
    }
    next = Decide();
  }
  Do(next);
}

ExchangeCall::Next ExchangeCall::Decide() {
  Next next;
  if (finished_) return next;
  if (!reading_ && !reads_ended_ && !broken_ && !full()) {
    reading_ = true;
    asked_at_ = absl::Now();
    StartRead(
        &incoming_);  // with the lock held: else the stream might end in between, and this object with it
  }
  if (!writing_ && !broken_ && due()) {
    writing_ = true;
    next.write = this;
  }
  // What is being taken up will ask for something, even if the stream has broken or drains by now.
  const bool over = !writing_ && !taking_ && answered();
  // A read may be under way when it is not the sender who ends the stream; it fails with the stream.
  if (over && (broken_ || reads_ended_)) {
    finished_ = true;
    next.finish = this;
  }
  return next;
}

void ExchangeCall::Do(const Next& next) {
  if (next.write != nullptr) next.write->Write();
  if (next.finish != nullptr) next.finish->Finish(ToGrpcStatus(next.finish->end_));
}

void ExchangeCall::Write() {
  std::string message;
  {
    const std::lock_guard lock(mutex_);
    NextMessage(message);
  }
  outgoing_ = ToBuffer(std::move(message));
  StartWrite(&outgoing_);
}

void ExchangeCall::OnWriteDone(bool ok) {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok && !std::exchange(broken_, true)) Broken();
    next = Decide();
  }
  Do(next);
}

void ExchangeCall::OnCancel() {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(broken_, true)) Broken();
    next = Decide();
  }
  Do(next);
}

void ExchangeCall::Drain() {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    // Once it has finished, gRPC is being told why, without the lock.
    if (!reads_ended_ && !finished_) end_ = absl::UnavailableError("the server is stopping");
    reads_ended_ = true;
    next = Decide();
  }
  Do(next);
}

void ExchangeCall::OnDone() {
  parts_.streams.Remove(this);
  {
    const std::lock_guard lock(mutex_);
    QL_CHECK(answered(), "what is under way comes back to this object");
  }
  delete this;
}

}  // namespace qinglan::eventstore::remote
