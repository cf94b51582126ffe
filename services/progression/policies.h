// Publishing a policy.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::progression {

struct PublishPolicy {
  using Command = v1::PublishPolicyRequest;
  using Answer = v1::PublishPolicyResponse;

  // The organisation, and the last version of each policy of it, of its parent, and of the named one.
  struct Model {
    void Apply(const eventstore::EventView& event);
    // The last version that fits; null when there is none.
    const v1::PolicyPublished* OfOrg(const std::string& org_id, v1::Ladder ladder) const;

    std::map<std::string, registry::v1::OrganisationCreated> organisations;
    std::map<std::string, v1::PolicyPublished> policies;  // by policy id
  };

  // Grows once: the organisation tells its parent.
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::progression
