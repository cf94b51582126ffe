#include "services/progression/service.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "eventstore/check.h"
#include "projections/progression/policy/policy_book.h"
#include "services/progression/policies.h"
#include "services/progression/tiers.h"

namespace qinglan::progression {
namespace {

using eventstore::EventStore;
using eventstore::Position;
using runtime::Call;

constexpr uint32_t kPageSize = 50;

absl::StatusOr<v1::GetPolicyResponse> GetPolicy(const EventStore& store, SharedPolicyBook& book,
                                                const runtime::Environment& environment,
                                                const v1::GetPolicyRequest& request) {
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  if (request.known_at() > head.value) return runtime::Invalid("known_at", "KNOWN_IN_FUTURE");
  const Position known_at = request.known_at() == 0 ? head : Position(request.known_at());
  const absl::CivilDay day = request.on().empty() ? environment.Today() : runtime::Day(request.on());
  const v1::Ladder ladder = request.ladder() == v1::LADDER_UNSPECIFIED ? v1::LADDER_TIER : request.ladder();
  auto in_force = book.InForce(request.org_id(), ladder, day, known_at);
  if (absl::IsNotFound(in_force.status())) {
    return runtime::Missing("org_id", "NO_POLICY", {{"on", runtime::IsoDate(day)}});
  }
  QL_RETURN_IF_ERROR(in_force.status());
  v1::GetPolicyResponse response;
  *response.mutable_policy() = std::move(in_force->policy);
  for (const PublishedPolicy& published : in_force->made_of) *response.add_made_of() = published.ref;
  return response;
}

// The page token is the position of the last version on the page before.
absl::StatusOr<v1::ListPoliciesResponse> ListPolicies(const EventStore& store, SharedPolicyBook& book,
                                                      const v1::ListPoliciesRequest& request) {
  uint64_t after = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &after)) {
    return runtime::Invalid("page_token", "PAGE_TOKEN");
  }
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  QL_ASSIGN_OR_RETURN(const std::vector<PublishedPolicy> all, book.Published(head));
  const uint32_t size = request.page_size() == 0 ? kPageSize : request.page_size();
  v1::ListPoliciesResponse response;
  for (const PublishedPolicy& published : all) {
    if (published.ref.position() <= after) continue;
    if (!request.org_id().empty() && published.ref.org_id() != request.org_id()) continue;
    if (response.policies_size() == static_cast<int>(size)) {
      response.set_next_page_token(fmt::format("{}", response.policies().rbegin()->ref().position()));
      break;
    }
    v1::PolicySummary& summary = *response.add_policies();
    *summary.mutable_ref() = published.ref;
    *summary.mutable_name() = published.policy.name();
    summary.set_ladder(published.policy.ladder());
    summary.set_effective_from(published.policy.effective_from());
  }
  return response;
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Command<PublishPolicy>();
  table.Command<RecordTierDecision>();
  table.Command<WithdrawTierDecision>();

  const auto book = std::make_shared<SharedPolicyBook>(table.store());
  const EventStore& store = table.store();
  const runtime::Environment& environment = table.environment();
  table.Query<v1::GetPolicyRequest, v1::GetPolicyResponse>(
      [&store, &environment, book](const v1::GetPolicyRequest& request, const Call&) {
        return GetPolicy(store, *book, environment, request);
      });
  table.Query<v1::ListPoliciesRequest, v1::ListPoliciesResponse>(
      [&store, book](const v1::ListPoliciesRequest& request, const Call&) {
        return ListPolicies(store, *book, request);
      });
}

}  // namespace qinglan::progression
