#include "eventstore/rocks/read/subscription.h"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/read/reader.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr absl::Duration kWaitMax = absl::Hours(24 * 365);  // keeps an infinite wait within the clock's range

}  // namespace

RocksSubscription::RocksSubscription(const Index& index, std::shared_ptr<Head> head, Query query,
                                     Position after)
    : index_(index), head_(std::move(head)), query_(std::move(query)), position_(after) {}

absl::StatusOr<Progress> RocksSubscription::Next(size_t limit, absl::Duration wait, EventVisitor visit) {
  if (!head_->Enter()) return absl::CancelledError("the event store has closed");
  const absl::Cleanup leave = [this] { head_->Leave(); };  // the visitor may throw
  return Follow(limit, wait, visit);
}

absl::StatusOr<Progress> RocksSubscription::Follow(size_t limit, absl::Duration wait, EventVisitor visit) {
  const auto deadline = std::chrono::steady_clock::now() +
                        absl::ToChronoNanoseconds(std::clamp(wait, absl::ZeroDuration(), kWaitMax));
  size_t handed_over = 0;
  const auto count = [&](const EventView& event) {
    ++handed_over;
    return visit(event) && !cancelled_ && !head_->closed();
  };
  while (true) {
    if (cancelled_ || head_->closed()) return absl::CancelledError("the subscription was ended");
    QL_ASSIGN_OR_RETURN(
        position_, ReadMatching(index_, query_, {.after = position_, .limit = limit}, head_->Get(), count));
    const bool caught_up = position_ >= head_->Get();
    if (handed_over > 0 || limit == 0 || std::chrono::steady_clock::now() >= deadline) {
      return Progress{position_, caught_up};
    }
    head_->WaitPast(position_, cancelled_, deadline);
  }
}

void RocksSubscription::Cancel() {
  cancelled_ = true;
  head_->Wake();
}

}  // namespace qinglan::eventstore::rocks
