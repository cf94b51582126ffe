#include "services/eventstore/client/remote_event_store.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "qinglan/eventstore/v1/event_store_service.pb.h"
#include "services/eventstore/client/append_pipe.h"
#include "services/eventstore/client/connection.h"
#include "services/eventstore/client/followers.h"
#include "services/eventstore/client/page_pipe.h"
#include "services/eventstore/client/remote_proofs.h"
#include "services/eventstore/client/remote_read.h"
#include "services/eventstore/client/remote_subscription.h"

namespace qinglan::eventstore {
// In order of making; destroyed in reverse.
struct RemoteEventStore::Parts {
  explicit Parts(const Options& given)
      : options(given),
        connection(given.target, given.token),
        followers(std::make_shared<remote::Followers>()),
        proofs(connection, given.timeout),
        pages(connection),
        pipe(connection, {given.queue_events_max, given.queue_bytes_max, given.timeout}, *followers) {}
  ~Parts() { followers->Close(); }

  const Options options;
  const remote::Connection connection;
  const std::shared_ptr<remote::Followers> followers;
  const remote::RemoteProofs proofs;
  mutable remote::PagePipe pages;
  remote::AppendPipe pipe;  // its end calls back, and who is called may read
};

absl::StatusOr<std::unique_ptr<RemoteEventStore>> RemoteEventStore::Connect(const Options& options) {
  std::unique_ptr<RemoteEventStore> store(new RemoteEventStore(std::make_unique<Parts>(options)));
  QL_RETURN_IF_ERROR(store->Head().status());
  return store;
}

RemoteEventStore::RemoteEventStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RemoteEventStore::~RemoteEventStore() = default;

void RemoteEventStore::Append(AppendRequest request, AppendDone done) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return done(std::move(status));
  parts_->pipe.Append(request, std::move(done));
}

absl::StatusOr<Position> RemoteEventStore::Read(const Query& query, const ReadOptions& options,
                                                EventVisitor visit) const {
  QL_RETURN_IF_ERROR(CheckQuery(query));
  return remote::ReadRemote(parts_->connection, parts_->pages, parts_->options.timeout, query, options,
                            visit);
}

absl::StatusOr<EventStore::Commit> RemoteEventStore::FindCommit(std::string_view commit_id) const {
  v1::FindCommitRequest request;
  request.set_commit_id(std::string(commit_id));
  v1::FindCommitResponse response;
  QL_RETURN_IF_ERROR(parts_->connection.Call(parts_->connection.methods().find_commit, request, response,
                                             parts_->options.timeout));
  const v1::Appended& appended = response.appended();
  parts_->followers->Learn(Position(appended.last()));
  return Commit{{Position(appended.first()), Position(appended.last()),
                 absl::FromUnixMicros(appended.recorded_at_us()), appended.replayed()},
                response.fingerprint()};
}

absl::StatusOr<Position> RemoteEventStore::Head() const {
  v1::GetHeadResponse response;
  QL_RETURN_IF_ERROR(parts_->connection.Call(parts_->connection.methods().get_head, v1::GetHeadRequest(),
                                             response, parts_->options.timeout));
  parts_->followers->Learn(Position(response.position()));
  return Position(response.position());
}

absl::StatusOr<Position> RemoteEventStore::HeadAt(absl::Time instant) const {
  v1::GetHeadAtRequest request;
  request.set_instant_us(absl::ToUnixMicros(instant));
  v1::GetHeadAtResponse response;
  QL_RETURN_IF_ERROR(parts_->connection.Call(parts_->connection.methods().get_head_at, request, response,
                                             parts_->options.timeout));
  return Position(response.position());
}

absl::StatusOr<std::unique_ptr<Subscription>> RemoteEventStore::Subscribe(Query query, Position after) {
  QL_RETURN_IF_ERROR(CheckQuery(query));
  return remote::RemoteSubscription::Open(parts_->connection, parts_->followers, parts_->options.timeout,
                                          query, after);
}

absl::StatusOr<transparency::TreeHead> RemoteEventStore::CurrentTree() const {
  QL_ASSIGN_OR_RETURN(const transparency::TreeHead tree, parts_->proofs.CurrentTree());
  parts_->followers->Learn(Position(tree.size));
  return tree;
}

absl::StatusOr<transparency::TreeHead> RemoteEventStore::TreeAt(Position head) const {
  return parts_->proofs.TreeAt(head);
}

absl::StatusOr<std::string> RemoteEventStore::LeafAt(Position position) const {
  return parts_->proofs.LeafAt(position);
}

absl::StatusOr<transparency::Proof> RemoteEventStore::ProveEvent(Position position, Position in) const {
  return parts_->proofs.ProveEvent(position, in);
}

absl::StatusOr<transparency::Proof> RemoteEventStore::ProveExtension(Position from, Position to) const {
  return parts_->proofs.ProveExtension(from, to);
}

}  // namespace qinglan::eventstore
