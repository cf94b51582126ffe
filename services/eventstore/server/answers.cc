#include "services/eventstore/server/answers.h"

#include <string>

#include "eventstore/check.h"
#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore::remote {

absl::Status Answer(const ServedLog& log, const v1::FindCommitRequest& request,
                    v1::FindCommitResponse& response) {
  QL_ASSIGN_OR_RETURN(const EventStore::Commit commit, log.store.FindCommit(request.commit_id()));
  response.set_fingerprint(commit.fingerprint);
  response.mutable_appended()->set_first(commit.appended.first.value);
  response.mutable_appended()->set_last(commit.appended.last.value);
  response.mutable_appended()->set_recorded_at_us(absl::ToUnixMicros(commit.appended.recorded_at));
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::GetHeadRequest&, v1::GetHeadResponse& response) {
  QL_ASSIGN_OR_RETURN(const Position head, log.store.Head());
  response.set_position(head.value);
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::GetHeadAtRequest& request,
                    v1::GetHeadAtResponse& response) {
  QL_ASSIGN_OR_RETURN(const Position head, log.store.HeadAt(absl::FromUnixMicros(request.instant_us())));
  response.set_position(head.value);
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::GetTreeRequest& request, v1::GetTreeResponse& response) {
  QL_ASSIGN_OR_RETURN(const transparency::TreeHead tree, request.has_size()
                                                             ? log.proofs.TreeAt(Position(request.size()))
                                                             : log.proofs.CurrentTree());
  response.set_size(tree.size);
  response.set_root(std::string(tree.root.view()));
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::GetLeafRequest& request, v1::GetLeafResponse& response) {
  QL_ASSIGN_OR_RETURN(*response.mutable_leaf(), log.proofs.LeafAt(Position(request.position())));
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::ProveEventRequest& request,
                    v1::ProveEventResponse& response) {
  QL_ASSIGN_OR_RETURN(const transparency::Proof proof,
                      log.proofs.ProveEvent(Position(request.position()), Position(request.tree_size())));
  for (const transparency::Hash& hash : proof) response.add_hashes(std::string(hash.view()));
  return absl::OkStatus();
}

absl::Status Answer(const ServedLog& log, const v1::ProveExtensionRequest& request,
                    v1::ProveExtensionResponse& response) {
  QL_ASSIGN_OR_RETURN(const transparency::Proof proof,
                      log.proofs.ProveExtension(Position(request.from_size()), Position(request.to_size())));
  for (const transparency::Hash& hash : proof) response.add_hashes(std::string(hash.view()));
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::remote
