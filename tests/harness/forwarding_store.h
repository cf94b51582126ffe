// A log that does what another does: to be changed in one thing by whoever derives from it.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "eventstore/event_store.h"

namespace qinglan::tests {

class ForwardingStore : public eventstore::EventStore {
 public:
  explicit ForwardingStore(eventstore::EventStore& store) : store_(store) {}

  void Append(eventstore::AppendRequest request, AppendDone done) override {
    store_.Append(std::move(request), std::move(done));
  }
  absl::StatusOr<eventstore::Position> Read(const eventstore::Query& query,
                                            const eventstore::ReadOptions& options,
                                            eventstore::EventVisitor visit) const override {
    return store_.Read(query, options, visit);
  }
  absl::StatusOr<Commit> FindCommit(std::string_view id) const override { return store_.FindCommit(id); }
  absl::StatusOr<eventstore::Position> Head() const override { return store_.Head(); }
  absl::StatusOr<eventstore::Position> HeadAt(absl::Time at) const override { return store_.HeadAt(at); }
  absl::StatusOr<std::unique_ptr<eventstore::Subscription>> Subscribe(eventstore::Query query,
                                                                      eventstore::Position after) override {
    return store_.Subscribe(std::move(query), after);
  }

 protected:
  eventstore::EventStore& store_;
};

}  // namespace qinglan::tests
