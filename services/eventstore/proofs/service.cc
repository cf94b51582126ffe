#include "services/eventstore/proofs/service.h"

#include <absl/strings/numbers.h>
#include <google/protobuf/util/time_util.h>

#include <memory>
#include <utility>

#include "eventstore/check.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/eventstore/proofs/inclusion.h"
#include "services/eventstore/proofs/portfolio.h"
#include "services/runtime/decision.h"

namespace qinglan::proofs {
namespace {

using eventstore::Position;
using eventstore::ProvableLog;
using eventstore::v1::AttestPortfolioRequest;
using eventstore::v1::AttestPortfolioResponse;
using eventstore::v1::GetCheckpointRequest;
using eventstore::v1::GetCheckpointResponse;
using eventstore::v1::ListCheckpointsRequest;
using eventstore::v1::ListCheckpointsResponse;
using eventstore::v1::ProveConsistencyRequest;
using eventstore::v1::ProveConsistencyResponse;
using eventstore::v1::ProveInclusionRequest;
using eventstore::v1::ProveInclusionResponse;

constexpr uint32_t kPageDefault = 100;

void Put(const SignedCheckpoint& made, eventstore::v1::Checkpoint& checkpoint) {
  checkpoint.set_size(made.size);
  checkpoint.set_note(made.note);
  *checkpoint.mutable_signed_at() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(made.signed_at));
}

absl::StatusOr<GetCheckpointResponse> GetCheckpoint(Notary* notary, const GetCheckpointRequest& request) {
  if (notary == nullptr) return runtime::Refuse("NO_LOG_KEY");
  QL_ASSIGN_OR_RETURN(const SignedCheckpoint made, notary->Checkpoint(Position(request.min_position())));
  GetCheckpointResponse response;
  Put(made, *response.mutable_checkpoint());
  response.set_public_key(notary->public_key().Text());
  return response;
}

absl::StatusOr<ListCheckpointsResponse> ListCheckpoints(Notary* notary,
                                                        const ListCheckpointsRequest& request) {
  if (notary == nullptr) return runtime::Refuse("NO_LOG_KEY");
  uint64_t after = 0;  // the token is the last size shown
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &after)) {
    return runtime::Invalid("page_token", "PAGE_TOKEN");
  }
  const size_t limit = request.page_size() == 0 ? kPageDefault : request.page_size();
  QL_ASSIGN_OR_RETURN(auto checkpoints, notary->Checkpoints(after, limit + 1));
  ListCheckpointsResponse response;
  if (checkpoints.size() > limit) {
    checkpoints.pop_back();
    response.set_next_page_token(std::to_string(checkpoints.back().size));
  }
  for (const SignedCheckpoint& made : checkpoints) Put(made, *response.add_checkpoints());
  return response;
}

absl::StatusOr<ProveConsistencyResponse> ProveConsistency(const ProvableLog& log,
                                                          const ProveConsistencyRequest& request) {
  if (request.from_size() > request.to_size()) return runtime::Invalid("from_size", "SIZES_REVERSED");
  const auto proof = log.ProveExtension(Position(request.from_size()), Position(request.to_size()));
  if (absl::IsOutOfRange(proof.status())) return SizeNotReached(log, "to_size");
  QL_RETURN_IF_ERROR(proof.status());
  ProveConsistencyResponse response;
  for (const auto& hash : *proof) response.add_hashes(std::string(hash.view()));
  return response;
}

}  // namespace

void Register(runtime::ServiceTable& table, const ProvableLog& log, Notary* notary) {
  const auto inclusion = std::make_shared<Inclusion>(table.store(), table.environment(), log);
  const auto portfolios = std::make_shared<Portfolios>(table.store(), table.environment(), notary);
  table.Query<GetCheckpointRequest, GetCheckpointResponse>(
      [notary](const auto& request, const auto&) { return GetCheckpoint(notary, request); });
  table.Query<ListCheckpointsRequest, ListCheckpointsResponse>(
      [notary](const auto& request, const auto&) { return ListCheckpoints(notary, request); });
  table.Query<ProveConsistencyRequest, ProveConsistencyResponse>(
      [&log](const auto& request, const auto&) { return ProveConsistency(log, request); });
  table.Query<ProveInclusionRequest, ProveInclusionResponse>(
      [inclusion](const auto& request, const auto& call) { return inclusion->Prove(request, call); });
  table.Query<AttestPortfolioRequest, AttestPortfolioResponse>(
      [portfolios](const auto& request, const auto& call) { return portfolios->Attest(request, call); });
}

}  // namespace qinglan::proofs
