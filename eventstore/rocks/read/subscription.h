// A subscription to the embedded store.
#pragma once

#include <atomic>
#include <memory>

#include "eventstore/event_store.h"
#include "eventstore/rocks/index/index.h"
#include "eventstore/rocks/read/head.h"

namespace qinglan::eventstore::rocks {

// Reads what is stored; when it has all of it, waits for the head to move. Holds no place in any queue, so
// the writers never know of it.
class RocksSubscription final : public Subscription {
 public:
  // `index` is used only while `head` lets followers in.
  RocksSubscription(const Index& index, std::shared_ptr<Head> head, Query query, Position after);

  absl::StatusOr<Progress> Next(size_t limit, absl::Duration wait, EventVisitor visit) override;
  void Cancel() override;

 private:
  absl::StatusOr<Progress> Follow(size_t limit, absl::Duration wait, EventVisitor visit);

  const Index& index_;
  const std::shared_ptr<Head> head_;
  const Query query_;
  Position position_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace qinglan::eventstore::rocks
