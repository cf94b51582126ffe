#include "services/eventstore/server/pages.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::eventstore::remote {
namespace {

constexpr size_t kClockEveryEvents = 16;

}  // namespace

absl::Status Pages::Open(ReadCall call) {
  call_ = std::move(call);
  QL_RETURN_IF_ERROR(CheckQuery(call_.query));
  QL_ASSIGN_OR_RETURN(const Position head, parts_.store.Head());
  up_to_ = std::min(call_.options.up_to.value_or(head), head);
  call_.options.up_to = up_to_;
  left_ = call_.options.limit;
  return absl::OkStatus();
}

absl::Status Pages::Ended(size_t shown) const {
  if (ended_) return absl::CancelledError("the call was ended");
  if (deadline_ == absl::InfiniteFuture() || shown % kClockEveryEvents != 0) return absl::OkStatus();
  return absl::Now() < deadline_ ? absl::OkStatus() : absl::DeadlineExceededError("the deadline is over");
}

Page Pages::Next() {
  absl::Status ended = Ended(0);
  if (!ended.ok()) return {"", true, std::move(ended)};
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
    full = page.bytes.size() >= kMessageEventBytesMax;
    ended = Ended(count);
    return !full && ended.ok();
  });
  left_ -= count;
  if (!read.ok() || !ended.ok()) {
    page.last = true;
    page.status = read.ok() ? std::move(ended) : read.status();
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
