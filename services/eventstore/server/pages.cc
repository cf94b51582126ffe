#include "services/eventstore/server/pages.h"

#include <algorithm>

#include "eventstore/check.h"
#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {
namespace {

absl::Status EndedError() { return absl::CancelledError("the call was ended"); }

}  // namespace

absl::Status Pages::Open(const grpc::ByteBuffer& request) {
  if (!DecodeRead(FlatBytes(request).view(), call_)) {
    return absl::InvalidArgumentError("the bytes are no request to read");
  }
  QL_RETURN_IF_ERROR(CheckQuery(call_.query));
  QL_ASSIGN_OR_RETURN(const Position head, parts_.store.Head());
  up_to_ = std::min(call_.options.up_to.value_or(head), head);
  call_.options.up_to = up_to_;
  left_ = call_.options.limit;
  return absl::OkStatus();
}

Page Pages::Next() {
  if (ended_) return {"", true, EndedError()};
  Page page;
  ReadOptions& options = call_.options;
  options.limit = std::min(left_, kMessageEventsMax);
  size_t count = 0;
  Position last;
  bool full = false;
  const auto read = parts_.store.Read(call_.query, options, [&](const EventView& event) {
    AddEvent(event, page.bytes);
    last = event.position;
    MakeRoom(++count, page.bytes);
    full = page.bytes.size() >= kMessageEventBytesMax || ended_;
    return !full;
  });
  left_ -= count;
  if (!read.ok() || ended_) {
    page.last = true;
    page.status = read.ok() ? EndedError() : read.status();
    // What was read before is a message like every other, and who reads on needs the bound.
    if (count > 0) AddReadEnd({up_to_, false, Position(0)}, page.bytes);
  } else if (left_ == 0 && count > 0) {
    page.last = true;
    AddReadEnd({up_to_, true, last}, page.bytes);
  } else if (!full && count < kMessageEventsMax) {
    page.last = true;
    // Backwards, the last read may have had a nearer end than the whole.
    const Position end = options.backwards && *options.up_to < up_to_ ? up_to_ : *read;
    AddReadEnd({up_to_, true, end}, page.bytes);
  } else {
    AddReadEnd({up_to_, false, Position(0)}, page.bytes);
    if (options.backwards) {
      options.up_to = Position(last.value - 1);
    } else {
      options.after = last;
    }
  }
  return page;
}

}  // namespace qinglan::eventstore::remote
