#include "services/eventstore/server/append_call.h"

#include <utility>
#include <vector>

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
  std::vector<EventStore::PendingAppend> pending;
  pending.reserve(appends.size());
  for (size_t i = 0; i < appends.size(); ++i) {
    const auto answer = [this, slot = slots[i]](absl::StatusOr<Appended> outcome) {
      Answer(*slot, std::move(outcome));
    };
    pending.push_back({std::move(appends[i]), answer});
  }
  if (alone) {
    parts_.store.AppendHere(std::move(pending.front().request), std::move(pending.front().done));
  } else {
    parts_.store.AppendAll(std::move(pending));
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

void AppendStreamCall::NextMessage(std::string& message) {
  message = std::move(outgoing_);
  outgoing_.clear();
  due_ = false;
}

}  // namespace qinglan::eventstore::remote
