#include "eventstore/rocks/rocks_event_store.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/index/index.h"
#include "eventstore/rocks/read/head.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/read/subscription.h"
#include "eventstore/rocks/tree/log_prover.h"
#include "eventstore/rocks/tree/tree.h"
#include "eventstore/rocks/write/committer.h"

namespace qinglan::eventstore {
namespace {

constexpr size_t kSmallIndexBytes = 8 * 1024;  // with small_buffers

}  // namespace

// In order of making.
struct RocksEventStore::Parts {
  std::unique_ptr<rocks::Database> database;
  std::unique_ptr<rocks::Index> index;
  std::unique_ptr<rocks::Tree> tree;
  std::shared_ptr<rocks::Head> head;
  std::unique_ptr<rocks::Committer> committer;
};

absl::StatusOr<std::unique_ptr<RocksEventStore>> RocksEventStore::Open(const Options& options) {
  Parts parts;
  QL_ASSIGN_OR_RETURN(parts.database, rocks::Database::Open({options.directory, options.cache_bytes,
                                                             options.small_buffers, options.env}));
  QL_ASSIGN_OR_RETURN(const rocks::LogEnd end, rocks::FindLogEnd(*parts.database));
  rocks::Index::Limits index_limits;
  if (options.small_buffers) index_limits = {kSmallIndexBytes, kSmallIndexBytes * 3};
  QL_ASSIGN_OR_RETURN(parts.index, rocks::Index::Open(*parts.database, end.head, index_limits));
  QL_ASSIGN_OR_RETURN(parts.tree, rocks::Tree::Open(*parts.database, end.head));
  parts.head = std::make_shared<rocks::Head>(end.head);
  parts.committer = std::make_unique<rocks::Committer>(
      *parts.database, *parts.index, *parts.tree, *parts.head, end, options.clock,
      rocks::QueueLimits{options.queue_events_max, options.queue_bytes_max});
  return std::unique_ptr<RocksEventStore>(new RocksEventStore(std::move(parts)));
}

RocksEventStore::RocksEventStore(Parts parts)
    : database_(std::move(parts.database)),
      index_(std::move(parts.index)),
      tree_(std::move(parts.tree)),
      head_(std::move(parts.head)),
      committer_(std::move(parts.committer)) {}

RocksEventStore::~RocksEventStore() {
  committer_.reset();
  head_->Close();
}

void RocksEventStore::Append(AppendRequest request, AppendDone done) {
  std::vector<PendingAppend> one;
  one.push_back({std::move(request), std::move(done)});
  AppendAll(std::move(one));
}

void RocksEventStore::AppendAll(std::vector<PendingAppend> appends) {
  std::vector<std::pair<AppendDone, absl::Status>> refused;
  std::erase_if(appends, [&](PendingAppend& append) {
    absl::Status status = CheckRequest(append.request);
    if (status.ok()) return false;
    refused.emplace_back(std::move(append.done), std::move(status));
    return true;
  });
  if (!appends.empty()) committer_->Submit(std::move(appends));
  for (auto& [done, status] : refused) done(std::move(status));
}

void RocksEventStore::AppendHere(AppendRequest request, AppendDone done) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return done(std::move(status));
  committer_->CommitOrSubmit(std::move(request), std::move(done));
}

absl::StatusOr<Position> RocksEventStore::Read(const Query& query, const ReadOptions& options,
                                               EventVisitor visit) const {
  QL_RETURN_IF_ERROR(CheckQuery(query));
  return rocks::ReadMatching(*index_, query, options, head_->Get(), visit, rocks::Keep::kFirstEvents);
}

absl::StatusOr<EventStore::Commit> RocksEventStore::FindCommit(std::string_view commit_id) const {
  return rocks::FindStoredCommit(*index_, commit_id, head_->Get());
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
  return std::make_unique<rocks::RocksSubscription>(*index_, head_, std::move(query), after);
}

absl::StatusOr<transparency::TreeHead> RocksEventStore::CurrentTree() const { return TreeAt(head_->Get()); }

absl::StatusOr<transparency::TreeHead> RocksEventStore::TreeAt(Position head) const {
  return rocks::LogProver(*database_, head_->Get()).TreeAt(head);
}

absl::StatusOr<std::string> RocksEventStore::LeafAt(Position position) const {
  return rocks::LogProver(*database_, head_->Get()).LeafAt(position);
}

absl::StatusOr<transparency::Proof> RocksEventStore::ProveEvent(Position position, Position in) const {
  return rocks::LogProver(*database_, head_->Get()).ProveEvent(position, in);
}

absl::StatusOr<transparency::Proof> RocksEventStore::ProveExtension(Position from, Position to) const {
  return rocks::LogProver(*database_, head_->Get()).ProveExtension(from, to);
}

const std::string& RocksEventStore::store_id() const { return database_->store_id(); }

}  // namespace qinglan::eventstore
