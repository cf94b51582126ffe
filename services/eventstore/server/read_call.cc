#include "services/eventstore/server/read_call.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {
namespace {

// Of two tags, or of a tag and types, long lists may be gone through for nothing.
bool CostsWhatItReturns(const Query& query) {
  return query.items.empty() ||
         (query.items.size() == 1 && query.items[0].tags.size() == 1 && query.items[0].types.empty());
}

}  // namespace

ReadCallReactor::ReadCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                 grpc::CallbackServerContext& context, const grpc::ByteBuffer& request)
    : parts_(parts) {
  if (const absl::Status status = Start(method, context, request); !status.ok()) {
    Finish(ToGrpcStatus(status));
  } else if (!CostsWhatItReturns(call_.query) || Deliver(Next(kInlineEventsMax))) {
    Submit();
  }
}

absl::Status ReadCallReactor::Start(const google::protobuf::MethodDescriptor& method,
                                    const grpc::CallbackServerContext& context,
                                    const grpc::ByteBuffer& request) {
  QL_RETURN_IF_ERROR(parts_.gate.Admit(context, method));
  if (!DecodeRead(FlatBytes(request).view(), call_)) {
    return absl::InvalidArgumentError("the bytes are no ReadRequest");
  }
  QL_RETURN_IF_ERROR(CheckQuery(call_.query));
  QL_ASSIGN_OR_RETURN(const Position head, parts_.store.Head());
  up_to_ = std::min(call_.options.up_to.value_or(head), head);
  call_.options.up_to = up_to_;
  left_ = call_.options.limit;
  return absl::OkStatus();
}

void ReadCallReactor::Submit() {
  if (parts_.workers.Submit([this] { Work(); })) return;
  Deliver({"", true, absl::ResourceExhaustedError("too many reads are waiting; try again")});
}

// One worker at a time is in here, as long as there is no message that waits to be written.
void ReadCallReactor::Work() {
  for (bool go_on = true; go_on;) go_on = Deliver(Next(kMessageEventsMax));
}

bool ReadCallReactor::Deliver(Message message) {
  {
    const std::lock_guard lock(mutex_);
    if (writing_) {
      ready_ = std::move(message);
      return false;
    }
    writing_ = true;
  }
  const bool last = message.last;
  Write(std::move(message));
  return !last;
}

ReadCallReactor::Message ReadCallReactor::Next(size_t events_max) {
  if (broken_) return {"", true, absl::CancelledError("the call was ended")};
  Message message;
  ReadOptions& options = call_.options;
  options.limit = std::min(left_, events_max);
  size_t count = 0;
  Position last;
  bool full = false;
  const auto read = parts_.store.Read(call_.query, options, [&](const EventView& event) {
    AddEvent(event, message.bytes);
    last = event.position;
    MakeRoom(++count, message.bytes);
    full = message.bytes.size() >= kMessageEventBytesMax || broken_;
    return !full;
  });
  left_ -= count;
  if (!read.ok()) {
    message.last = true;
    message.status = read.status();
  } else if (broken_) {
    message.last = true;
    message.status = absl::CancelledError("the call was ended");
  } else if (left_ == 0 && count > 0) {
    message.last = true;
    AddReadEnd({up_to_, true, last}, message.bytes);
  } else if (!full && count < events_max) {
    message.last = true;
    // Backwards, the last read may have had a nearer end than the whole.
    const Position end = options.backwards && *options.up_to < up_to_ ? up_to_ : *read;
    AddReadEnd({up_to_, true, end}, message.bytes);
  } else {
    AddReadEnd({up_to_, false, Position(0)}, message.bytes);
    if (options.backwards) {
      options.up_to = Position(last.value - 1);
    } else {
      options.after = last;
    }
  }
  return message;
}

void ReadCallReactor::Write(Message message) {
  if (message.last && message.bytes.empty()) return Finish(ToGrpcStatus(message.status));
  outgoing_ = ToBuffer(std::move(message.bytes));
  if (message.last) {
    StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), ToGrpcStatus(message.status));
  } else {
    StartWrite(&outgoing_);
  }
}

void ReadCallReactor::OnWriteDone(bool ok) {
  std::optional<Message> next;
  {
    const std::lock_guard lock(mutex_);
    if (!ok) broken_ = true;
    if (!ready_.has_value()) {
      writing_ = false;  // the worker is still making the next one, and will write it itself
      return;
    }
    next = std::move(ready_);
    ready_.reset();
  }
  if (broken_) next = Message{"", true, absl::CancelledError("the call was ended")};
  const bool last = next->last;
  Write(*std::move(next));
  if (!last) Submit();
}

}  // namespace qinglan::eventstore::remote
