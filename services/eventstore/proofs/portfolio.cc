#include "services/eventstore/proofs/portfolio.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "services/eventstore/proofs/statement.h"
#include "services/portfolio/reading/evidence.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::proofs {
namespace {

using eventstore::v1::AttestPortfolioRequest;
using eventstore::v1::AttestPortfolioResponse;
using portfolio::v1::GetPortfolioRequest;
using portfolio::v1::GetPortfolioResponse;

constexpr uint32_t kTimelinePage = 1000;

std::string Json(const GetPortfolioResponse& answer) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  QL_CHECK(google::protobuf::util::MessageToJsonString(answer, &json, options).ok(),
           "an answer of ours has a JSON form");
  return json;
}

}  // namespace

absl::StatusOr<GetPortfolioResponse> Portfolios::Whole(const AttestPortfolioRequest& request,
                                                       const runtime::Call& call) {
  GetPortfolioRequest page;
  page.set_teacher_id(request.teacher_id());
  page.set_as_of(request.as_of());
  page.set_known_position(request.known_position());
  page.set_min_position(request.min_position());
  page.set_timeline_page_size(kTimelinePage);
  QL_ASSIGN_OR_RETURN(GetPortfolioResponse whole, reading_.GetPortfolio(page, call));
  while (!whole.next_timeline_page_token().empty()) {
    page.set_timeline_page_token(whole.next_timeline_page_token());
    QL_ASSIGN_OR_RETURN(GetPortfolioResponse next, reading_.GetPortfolio(page, call));
    whole.mutable_timeline()->MergeFrom(next.timeline());
    whole.set_next_timeline_page_token(next.next_timeline_page_token());
  }
  QL_RETURN_IF_ERROR(
      environment_.sealing->OpenAnswer(whole, call.language));  // here: JSON hides it from the way out
  return whole;
}

absl::StatusOr<AttestPortfolioResponse> Portfolios::Attest(const AttestPortfolioRequest& request,
                                                           const runtime::Call& call) {
  if (notary_ == nullptr) return runtime::Refuse("NO_LOG_KEY");
  QL_ASSIGN_OR_RETURN(const GetPortfolioResponse whole, Whole(request, call));
  AttestPortfolioResponse response;
  response.set_portfolio_json(Json(whole));
  QL_ASSIGN_OR_RETURN(const std::set<std::string> ids, EventIdsIn(response.portfolio_json()));
  EvidenceList evidence;
  std::vector<std::pair<uint64_t, std::string>> in_order;
  for (const std::string& id : ids) {
    QL_ASSIGN_OR_RETURN(const eventstore::Event event,
                        portfolio::FindEvidence(store_, id, request.teacher_id()));
    evidence[id] = event.position;
    in_order.emplace_back(event.position.value, id);
  }
  std::sort(in_order.begin(), in_order.end());
  for (const auto& [position, id] : in_order) {
    eventstore::v1::Evidence& named = *response.add_evidence();
    named.set_event_id(id);
    named.set_position(position);
  }
  QL_ASSIGN_OR_RETURN(const SignedCheckpoint checkpoint,
                      notary_->Checkpoint(eventstore::Position(whole.position())));
  response.set_checkpoint(checkpoint.note);
  response.set_public_key(notary_->public_key().Text());
  response.set_statement(notary_->Sign(StatementText(
      MakeStatement(notary_->public_key().name(), checkpoint.size, response.portfolio_json(), evidence))));
  return response;
}

}  // namespace qinglan::proofs
