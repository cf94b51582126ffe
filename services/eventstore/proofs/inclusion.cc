#include "services/eventstore/proofs/inclusion.h"

#include <string>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/transparency/hash.h"
#include "qinglan/portfolio/v1/portfolio_events.pb.h"
#include "services/portfolio/reading/evidence.h"
#include "services/runtime/decision.h"

namespace qinglan::proofs {
namespace {

using eventstore::Event;
using eventstore::Position;
using eventstore::v1::InclusionProof;
using eventstore::v1::ProveInclusionRequest;
using eventstore::v1::ProveInclusionResponse;

constexpr size_t kAnswerBytesMax = 2 * 1024 * 1024;  // then the answer ends, after at least one proof

}  // namespace

absl::Status SizeNotReached(const eventstore::ProvableLog& log, std::string_view field) {
  QL_ASSIGN_OR_RETURN(const auto head, log.CurrentTree());
  return runtime::Invalid(field, "SIZE_NOT_REACHED", {{"head", std::to_string(head.size)}});
}

absl::Status Inclusion::RecordView(const ProveInclusionRequest& request, Position known,
                                   const runtime::Call& call) {
  portfolio::v1::PortfolioViewed viewed;
  viewed.set_teacher_id(request.teacher_id());
  viewed.set_as_of(runtime::IsoDate(environment_.Today()));
  viewed.set_known_position(known.value);
  if (request.event_ids_size() == 1) viewed.set_event_id(request.event_ids(0));
  eventstore::AppendRequest append;
  append.commit_id = environment_.new_id();
  append.actor = call.principal.user_id;
  append.correlation_id = call.correlation_id;
  append.events.push_back(
      runtime::MakeEvent(viewed, environment_.Today(), {runtime::Tag("teacher", viewed.teacher_id())}));
  return store_.AppendAndWait(std::move(append)).status();
}

absl::StatusOr<ProveInclusionResponse> Inclusion::Prove(const ProveInclusionRequest& request,
                                                        const runtime::Call& call) {
  Position in(request.tree_size());
  QL_ASSIGN_OR_RETURN(const Position head, store_.Head());
  if (in.value == 0) in = head;
  if (in > head) return SizeNotReached(log_, "tree_size");
  const bool by_self = call.principal.teacher_id == request.teacher_id();
  if (!by_self) QL_RETURN_IF_ERROR(RecordView(request, in, call));

  eventstore::transparency::Hasher hasher;
  ProveInclusionResponse response;
  response.set_tree_size(in.value);
  size_t bytes = 0;
  for (const std::string& event_id : request.event_ids()) {
    if (bytes > kAnswerBytesMax) break;
    QL_ASSIGN_OR_RETURN(const Event event, portfolio::FindEvidence(store_, event_id, request.teacher_id()));
    if (event.position > in) return SizeNotReached(log_, "tree_size");
    QL_ASSIGN_OR_RETURN(const portfolio::Openness openness,
                        portfolio::OpennessOf(store_, event, request.teacher_id(), by_self));
    QL_ASSIGN_OR_RETURN(std::string leaf, log_.LeafAt(event.position));
    QL_ASSIGN_OR_RETURN(const auto proof, log_.ProveEvent(event.position, in));
    InclusionProof& proved = *response.add_proofs();
    proved.set_event_id(event_id);
    proved.set_position(event.position.value);
    proved.set_leaf_hash(std::string(hasher.Leaf(leaf).view()));
    for (const auto& hash : proof) proved.add_hashes(std::string(hash.view()));
    if (openness == portfolio::Openness::kWhole) proved.set_leaf(std::move(leaf));
    bytes += proved.ByteSizeLong();
  }
  return response;
}

}  // namespace qinglan::proofs
