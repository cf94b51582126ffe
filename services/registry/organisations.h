// Decisions about organisations. Pure; see services/runtime/decision.h.
#pragma once

#include <map>
#include <set>
#include <string>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::registry {

// Whatever organisations the events that were read tell of.
struct Organisations {
  std::map<std::string, v1::OrganisationEntry> by_id;
  std::set<std::string> external_digests;

  // What there is to know of one organisation; with its children too, since they bear its tag.
  static eventstore::QueryItem Reads(const std::string& org_id);
  // Who bears this digest already.
  static eventstore::QueryItem ReadsDigest(const std::string& digest);

  void Apply(const eventstore::EventView& event);

  // Of an organisation that the runtime has found to exist.
  const v1::OrganisationEntry& Get(const std::string& org_id) const;
  // ORGANISATION_CLOSED when it has closed.
  absl::Status MustBeOpen(const std::string& org_id) const;
  // ORGANISATION_CLOSED, or POST_NEEDS_PLACE when nobody holds a post at such an organisation.
  absl::Status MustTakePosts(const std::string& org_id) const;
};

struct CreateDistrict {
  using Command = v1::CreateDistrictRequest;
  using Answer = v1::CreateDistrictResponse;
  using Model = Organisations;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CreateOrganisation {
  using Command = v1::CreateOrganisationRequest;
  using Answer = v1::CreateOrganisationResponse;
  using Model = Organisations;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RenameOrganisation {
  using Command = v1::RenameOrganisationRequest;
  using Answer = v1::RenameOrganisationResponse;
  using Model = Organisations;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CloseOrganisation {
  using Command = v1::CloseOrganisationRequest;
  using Answer = v1::CloseOrganisationResponse;
  using Model = Organisations;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::registry
