#include "eventstore/rocks/rocks_event_store.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/read/head.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/read/subscription.h"
#include "eventstore/rocks/write/committer.h"

namespace qinglan::eventstore {

absl::StatusOr<std::unique_ptr<RocksEventStore>> RocksEventStore::Open(const Options& options) {
  QL_ASSIGN_OR_RETURN(auto database, rocks::Database::Open({options.directory, options.cache_bytes,
                                                            options.small_buffers, options.env}));
  QL_ASSIGN_OR_RETURN(const rocks::LogEnd end, rocks::FindLogEnd(*database));
  auto head = std::make_shared<rocks::Head>(end.head);
  auto committer = std::make_unique<rocks::Committer>(
      *database, *head, end, options.clock,
      rocks::QueueLimits{options.queue_events_max, options.queue_bytes_max});
  return std::unique_ptr<RocksEventStore>(
      new RocksEventStore(std::move(database), std::move(head), std::move(committer)));
}

RocksEventStore::RocksEventStore(std::unique_ptr<rocks::Database> database, std::shared_ptr<rocks::Head> head,
                                 std::unique_ptr<rocks::Committer> committer)
    : database_(std::move(database)), head_(std::move(head)), committer_(std::move(committer)) {}

RocksEventStore::~RocksEventStore() {
  committer_.reset();
  head_->Close();
}

void RocksEventStore::Append(AppendRequest request, AppendDone done) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return done(std::move(status));
  committer_->Submit(std::move(request), std::move(done));
}

absl::StatusOr<Position> RocksEventStore::Read(const Query& query, const ReadOptions& options,
                                               EventVisitor visit) const {
  QL_RETURN_IF_ERROR(CheckQuery(query));
  return rocks::ReadMatching(*database_, query, options, head_->Get(), visit);
}

absl::StatusOr<EventStore::Commit> RocksEventStore::FindCommit(std::string_view commit_id) const {
  const Position head = head_->Get();
  QL_ASSIGN_OR_RETURN(Commit commit, rocks::FindStoredCommit(*database_, commit_id));
  if (commit.appended.last > head)
    return absl::NotFoundError("there is no such commit");  // stored, not yet visible
  return commit;
}

absl::StatusOr<Position> RocksEventStore::Head() const { return head_->Get(); }

absl::StatusOr<Position> RocksEventStore::HeadAt(absl::Time instant) const {
  committer_->Settle(instant);
  return rocks::FindHeadAt(*database_, instant, head_->Get());
}

absl::StatusOr<std::unique_ptr<Subscription>> RocksEventStore::Subscribe(Query query, Position after) {
  QL_RETURN_IF_ERROR(CheckQuery(query));
  if (const Position head = head_->Get(); after > head) {
    return absl::InvalidArgumentError(fmt::format("after: {} is past the head {}", after.value, head.value));
  }
  return std::make_unique<rocks::RocksSubscription>(*database_, head_, std::move(query), after);
}

const std::string& RocksEventStore::store_id() const { return database_->store_id(); }

}  // namespace qinglan::eventstore
