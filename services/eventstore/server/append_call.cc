#include "services/eventstore/server/append_call.h"

#include <absl/time/clock.h>

#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {
namespace {

void Answer(grpc::ServerUnaryReactor& reactor, grpc::ByteBuffer& response,
            const absl::StatusOr<Appended>& outcome) {
  if (!outcome.ok()) return reactor.Finish(ToGrpcStatus(outcome.status()));
  std::string bytes;
  EncodeAppended(*outcome, bytes);
  response = ToBuffer(std::move(bytes));
  reactor.Finish(grpc::Status::OK);
}

}  // namespace

grpc::ServerUnaryReactor* StartAppend(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                      grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                                      grpc::ByteBuffer& response) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  absl::Status refused = parts.gate.Admit(context, method);
  AppendRequest append;
  if (refused.ok() && !DecodeAppend(FlatBytes(request).view(), append)) {
    refused = absl::InvalidArgumentError("the bytes are no AppendRequest");
  }
  if (!refused.ok()) {
    reactor->Finish(ToGrpcStatus(refused));
    return reactor;
  }
  parts.store.AppendHere(std::move(append), [reactor, &response](const absl::StatusOr<Appended>& outcome) {
    Answer(*reactor, response, outcome);
  });
  return reactor;
}

AppendStreamCall::AppendStreamCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                   grpc::CallbackServerContext& context)
    : parts_(parts), gate_(parts.gate, context, method) {
  parts_.streams.Add(this);
  Next next;
  {
    const std::lock_guard lock(mutex_);
    if (end_.ok()) end_ = gate_.Admit(absl::Now());
    reads_ended_ = reads_ended_ || !end_.ok();
    next = Decide();
  }
  Do(next);
}

void AppendStreamCall::OnReadDone(bool ok) {
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

absl::Status AppendStreamCall::Take(std::string_view message, bool had_to_come) {
  std::vector<AppendRequest> appends;
  if (!DecodeStreamAppends(message, appends)) {
    return absl::InvalidArgumentError("the bytes are no AppendStreamRequest");
  }
  if (appends.empty()) return absl::OkStatus();
  const size_t bytes = message.size() / appends.size();
  bool alone = appends.size() == 1 && had_to_come;  // else one write may serve several
  std::vector<Slot*> slots;
  slots.reserve(appends.size());
  {
    const std::lock_guard lock(mutex_);
    alone = alone && slots_.empty();
    for (size_t i = 0; i < appends.size(); ++i) {
      slots.push_back(&slots_.emplace_back());  // a deque: it stays where it is until it is popped
      slots.back()->bytes = bytes;
      slot_bytes_ += bytes;
    }
    slots.back()->ends_message = true;
  }
  for (size_t i = 0; i < appends.size(); ++i) {
    Slot* slot = slots[i];
    auto done = [this, slot](absl::StatusOr<Appended> outcome) { Answer(*slot, std::move(outcome)); };
    alone ? parts_.store.AppendHere(std::move(appends[i]), std::move(done))
          : parts_.store.Append(std::move(appends[i]), std::move(done));
  }
  return absl::OkStatus();
}

void AppendStreamCall::Answer(Slot& slot, absl::StatusOr<Appended> outcome) {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    slot.outcome = std::move(outcome);
    slot.answered = true;
    while (!slots_.empty() && slots_.front().answered) {
      AddStreamOutcome(slots_.front().outcome, outgoing_);
      slot_bytes_ -= slots_.front().bytes;
      due_ = due_ || slots_.front().ends_message;
      slots_.pop_front();
    }
    next = Decide();
  }
  Do(next);
}

AppendStreamCall::Next AppendStreamCall::Decide() {
  Next next;
  if (finished_) return next;
  const bool full = slots_.size() >= kStreamAppendsMax || slot_bytes_ >= kStreamAppendBytesMax;
  if (!reading_ && !reads_ended_ && !broken_ && !full) {
    reading_ = true;
    asked_at_ = absl::Now();
    StartRead(
        &incoming_);  // with the lock held: else the stream might end in between, and this object with it
  }
  if (!writing_ && !broken_ && due_) writing_ = next.write = true;
  // What is being taken up will be appended, even if the stream has broken or drains by now.
  const bool answered = slots_.empty() && !taking_ && !writing_ && (broken_ || outgoing_.empty());
  // A read may be under way when it is not the sender who ends the stream; it fails with the stream.
  if (answered && (broken_ || reads_ended_)) finished_ = next.finish = true;
  return next;
}

void AppendStreamCall::Do(const Next& next) {
  if (next.write) Write();
  if (next.finish) Finish(ToGrpcStatus(end_));
}

void AppendStreamCall::Write() {
  {
    const std::lock_guard lock(mutex_);
    outgoing_message_ = ToBuffer(std::move(outgoing_));
    outgoing_.clear();
    due_ = false;
  }
  StartWrite(&outgoing_message_);
}

void AppendStreamCall::OnWriteDone(bool ok) {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    broken_ = broken_ || !ok;
    next = Decide();
  }
  Do(next);
}

void AppendStreamCall::OnCancel() {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    next = Decide();
  }
  Do(next);
}

void AppendStreamCall::Drain() {
  Next next;
  {
    const std::lock_guard lock(mutex_);
    if (!reads_ended_) end_ = absl::UnavailableError("the server is stopping");
    reads_ended_ = true;
    next = Decide();
  }
  Do(next);
}

void AppendStreamCall::OnDone() {
  parts_.streams.Remove(this);
  {
    const std::lock_guard lock(mutex_);
    QL_CHECK(slots_.empty(), "what is under way comes back to this object");
  }
  delete this;
}

}  // namespace qinglan::eventstore::remote
