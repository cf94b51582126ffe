#include "services/progression/policies.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/check.h"
#include "projections/progression/policy/policy_check.h"
#include "qinglan/error/v1/error.pb.h"
#include "services/runtime/error.h"

namespace qinglan::progression {
namespace {

using runtime::Of;
using runtime::Refuse;
using runtime::Tag;

// As many as an answer's trailer has room for.
constexpr int kFaultsShownMax = 10;

// Many faults at once: whoever writes a policy mends them together.
absl::Status Faulty(const std::vector<PolicyFault>& faults) {
  error::v1::ErrorDetail detail;
  detail.set_reason("INVALID_REQUEST");
  for (const PolicyFault& fault : faults) {
    if (detail.fields_size() >= kFaultsShownMax) break;
    error::v1::FieldViolation* violation = detail.add_fields();
    violation->set_field(fmt::format("policy.{}", fault.path));
    violation->set_rule(fault.rule);
  }
  return runtime::MakeError(absl::StatusCode::kInvalidArgument, detail);
}

std::string ParentOf(const std::string& org_id, const PublishPolicy::Model& model) {
  const auto org = model.organisations.find(org_id);
  return org == model.organisations.end() ? "" : org->second.parent_id();
}

// A district's stands alone; what is below one may state only what differs.
bool MustBeWhole(const std::string& org_id, const PublishPolicy::Model& model) {
  const auto org = model.organisations.find(org_id);
  return org == model.organisations.end() || org->second.parent_id().empty() ||
         org->second.kind() == registry::v1::ORGANISATION_KIND_DISTRICT;
}

absl::Status CheckFollows(const v1::Policy& policy, const std::string& org_id,
                          const v1::PolicyPublished& last) {
  if (last.org_id() != org_id) return Refuse("POLICY_OF_ANOTHER_ORG");
  if (last.policy().ladder() != policy.ladder()) return Refuse("LADDER_CHANGED");
  if (policy.version() <= last.version()) {
    return Refuse("VERSION_NOT_RISING", {{"version", fmt::format("{}", policy.version())},
                                         {"last", fmt::format("{}", last.version())}});
  }
  // ISO dates compare as text.
  if (policy.effective_from() < last.policy().effective_from()) {
    return Refuse("EFFECTIVE_FROM_FALLS", {{"last", last.policy().effective_from()}});
  }
  return absl::OkStatus();
}

absl::Status CheckFixed(const v1::Policy& policy, const v1::PolicyPublished* district) {
  if (district == nullptr) return absl::OkStatus();
  for (const v1::Criterion& criterion : policy.criteria()) {
    const auto& above = district->policy().criteria();
    const bool fixed = std::any_of(above.begin(), above.end(), [&](const v1::Criterion& other) {
      return other.fixed() && other.criterion_id() == criterion.criterion_id();
    });
    if (fixed) return Refuse("CRITERION_FIXED", {{"criterion", criterion.criterion_id()}});
  }
  return absl::OkStatus();
}

}  // namespace

void PublishPolicy::Model::Apply(const eventstore::EventView& event) {
  if (auto created = runtime::As<registry::v1::OrganisationCreated>(event)) {
    organisations[created->org_id()] = *created;
  } else if (auto published = runtime::As<v1::PolicyPublished>(event)) {
    policies[published->policy_id()] = *published;
  }
}

const v1::PolicyPublished* PublishPolicy::Model::OfOrg(const std::string& org_id, v1::Ladder ladder) const {
  for (const auto& [policy_id, published] : policies) {
    if (published.org_id() == org_id && published.policy().ladder() == ladder) return &published;
  }
  return nullptr;
}

eventstore::Query PublishPolicy::Reads(const Command& command, const Model& model) {
  const std::string org = Tag("org", command.org_id());
  eventstore::Query query{{Of<registry::v1::OrganisationCreated>({org}), Of<v1::PolicyPublished>({org})}};
  if (!command.policy_id().empty()) {
    query.items.push_back(Of<v1::PolicyPublished>({Tag("policy", command.policy_id())}));
  }
  const std::string parent_id = ParentOf(command.org_id(), model);
  if (!parent_id.empty()) query.items.push_back(Of<v1::PolicyPublished>({Tag("org", parent_id)}));
  return query;
}

absl::StatusOr<runtime::Events> PublishPolicy::Decide(const Model& model, const Command& command,
                                                      const runtime::Given& given) {
  v1::Policy policy = command.policy();
  const std::vector<PolicyFault> faults = CheckPolicy(policy, MustBeWhole(command.org_id(), model));
  if (!faults.empty()) return Faulty(faults);

  std::string policy_id = command.policy_id();
  if (policy_id.empty()) {
    const v1::PolicyPublished* existing = model.OfOrg(command.org_id(), policy.ladder());
    if (existing != nullptr) return Refuse("POLICY_EXISTS", {{"policy_id", existing->policy_id()}});
    policy_id = given.new_id();
  } else {
    const auto last = model.policies.find(policy_id);
    QL_CHECK(last != model.policies.end(), "a policy exists without a version");
    QL_RETURN_IF_ERROR(CheckFollows(policy, command.org_id(), last->second));
  }
  QL_RETURN_IF_ERROR(CheckFixed(policy, model.OfOrg(ParentOf(command.org_id(), model), policy.ladder())));

  policy.set_policy_id(policy_id);
  policy.set_org_id(command.org_id());
  v1::PolicyPublished published;
  published.set_policy_id(policy_id);
  published.set_org_id(command.org_id());
  published.set_version(policy.version());
  *published.mutable_policy() = std::move(policy);
  return runtime::Events{
      runtime::MakeEvent(published, given.today, {Tag("policy", policy_id), Tag("org", command.org_id())})};
}

}  // namespace qinglan::progression
