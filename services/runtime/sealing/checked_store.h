// The log as handlers and decisions read it: what parses as its own type and names real days, or DATA_LOSS.
// The store's checksums know nothing of messages, and whoever may append can record bytes that are none, or
// 31 February; without this they would end every process that folds them (runtime::As, runtime::Day).
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::runtime {

// Whether the payload parses as the event's type. True for a type that this version does not know: nobody
// here reads it.
bool Parses(const eventstore::EventView& event);

// Whether all of them will pass, as reads look at them: who is about to append them can still say no.
// INTERNAL names the first that will not.
absl::Status CheckReadable(const std::vector<eventstore::NewEvent>& events);

// EventStore::Read() of events that parse and name real days (projections/payload). DATA_LOSS, naming the
// position, at the first other; what came before it has been handed over. Costs a second parse of each event.
[[nodiscard]] absl::StatusOr<eventstore::Position> ReadParsed(const eventstore::EventStore& store,
                                                              const eventstore::Query& query,
                                                              const eventstore::ReadOptions& options,
                                                              eventstore::EventVisitor visit);

// A store whose every Read() is such a one. Subscriptions, of which no handler has any, are the store's own.
// Thread-safe. The store must outlive it.
class CheckedStore final : public eventstore::EventStore {
 public:
  explicit CheckedStore(eventstore::EventStore& store) : store_(store) {}

  // The log as it is, for who must go on past an event that does not parse.
  const eventstore::EventStore& unchecked() const { return store_; }

  void Append(eventstore::AppendRequest request, AppendDone done) override {
    store_.Append(std::move(request), std::move(done));
  }
  void AppendAll(std::vector<PendingAppend> appends) override { store_.AppendAll(std::move(appends)); }
  void AppendHere(eventstore::AppendRequest request, AppendDone done) override {
    store_.AppendHere(std::move(request), std::move(done));
  }
  [[nodiscard]] absl::StatusOr<eventstore::Position> Read(const eventstore::Query& query,
                                                          const eventstore::ReadOptions& options,
                                                          eventstore::EventVisitor visit) const override {
    return ReadParsed(store_, query, options, visit);
  }
  [[nodiscard]] absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const override {
    return store_.FindCommit(commit_id);
  }
  [[nodiscard]] absl::StatusOr<eventstore::Position> Head() const override { return store_.Head(); }
  [[nodiscard]] absl::StatusOr<eventstore::Position> HeadAt(absl::Time instant) const override {
    return store_.HeadAt(instant);
  }
  [[nodiscard]] absl::StatusOr<std::unique_ptr<eventstore::Subscription>> Subscribe(
      eventstore::Query query, eventstore::Position after) override {
    return store_.Subscribe(std::move(query), after);
  }

 private:
  eventstore::EventStore& store_;
};

}  // namespace qinglan::runtime
