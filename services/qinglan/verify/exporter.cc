#include "services/qinglan/verify/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan {
namespace {

using eventstore::Position;
using eventstore::v1::AttestPortfolioRequest;
using eventstore::v1::AttestPortfolioResponse;
using eventstore::v1::InclusionProof;
using eventstore::v1::ProveInclusionRequest;
using eventstore::v1::ProveInclusionResponse;

constexpr int kEventsAskedMax = 100;  // in one call; the server takes no more

absl::StatusOr<ExportedEvent> FromProto(const InclusionProof& proof) {
  ExportedEvent event;
  event.event_id = proof.event_id();
  event.position = Position(proof.position());
  event.leaf = proof.leaf();
  bool hashes = HashFrom(proof.leaf_hash(), event.leaf_hash);
  for (const std::string& hash : proof.hashes()) {
    if (!HashFrom(hash, event.proof.emplace_back())) hashes = false;
  }
  if (!hashes)
    return absl::DataLossError(fmt::format("the proof of event {} holds no hashes", event.event_id));
  return event;
}

// All of them, in the order of the evidence; a call may answer fewer than it was asked.
absl::Status FetchProofs(const runtime::Client& client, const std::string& teacher_id, uint64_t tree_size,
                         const AttestPortfolioResponse& attested, ExportFile& file) {
  for (int done = 0; done < attested.evidence_size();) {
    ProveInclusionRequest request;
    request.set_teacher_id(teacher_id);
    request.set_tree_size(tree_size);
    const int end = std::min(done + kEventsAskedMax, attested.evidence_size());
    for (int i = done; i < end; ++i) request.add_event_ids(attested.evidence(i).event_id());
    QL_ASSIGN_OR_RETURN(const auto answer, client.Call<ProveInclusionResponse>(request));
    if (answer.proofs().empty()) return absl::DataLossError("the server proved nothing of what it was asked");
    for (const InclusionProof& proof : answer.proofs()) {
      QL_ASSIGN_OR_RETURN(ExportedEvent event, FromProto(proof));
      file.events.push_back(std::move(event));
    }
    done += answer.proofs_size();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Exported> ExportPortfolio(const runtime::Client& client,
                                         const AttestPortfolioRequest& request) {
  QL_ASSIGN_OR_RETURN(const auto attested, client.Call<AttestPortfolioResponse>(request));
  Exported exported;
  exported.public_key = attested.public_key();
  exported.file.portfolio_json = attested.portfolio_json();
  exported.file.statement = attested.statement();
  exported.file.checkpoint = attested.checkpoint();
  QL_ASSIGN_OR_RETURN(const auto key, eventstore::transparency::VerifierKey::Parse(attested.public_key()));
  QL_ASSIGN_OR_RETURN(const auto checkpoint, OpenCheckpoint(attested.checkpoint(), key));
  QL_RETURN_IF_ERROR(
      FetchProofs(client, request.teacher_id(), checkpoint.head.size, attested, exported.file));
  auto verified = Verify(exported.file, key);
  if (!verified.ok()) return absl::DataLossError(verified.status().message());
  exported.verified = *std::move(verified);
  return exported;
}

}  // namespace qinglan
