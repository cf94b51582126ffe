#include "services/registry/organisations.h"

#include "eventstore/check.h"
#include "services/registry/external_id.h"

namespace qinglan::registry {
namespace {

using eventstore::Query;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

std::vector<std::string> OrganisationTags(const std::string& org_id, const std::string& parent_id,
                                          const std::string& digest) {
  std::vector<std::string> tags = {Tag("org", org_id)};
  if (!parent_id.empty()) tags.push_back(Tag("org", parent_id));
  if (!digest.empty()) tags.push_back(Tag("external", digest));
  return tags;
}

// What may hang below what: 局 → 局, 校, 中心, 教研室, 联盟; 校 → 教研组, 备课组; 教研组 → 备课组; 教研室,
// 联盟 → 教研组, 备课组.
bool MayHangBelow(v1::OrganisationKind child, v1::OrganisationKind parent) {
  switch (child) {
    case v1::ORGANISATION_KIND_RESEARCH_GROUP:
      return parent != v1::ORGANISATION_KIND_RESEARCH_GROUP &&
             parent != v1::ORGANISATION_KIND_PREPARATION_GROUP;
    case v1::ORGANISATION_KIND_PREPARATION_GROUP:
      return parent != v1::ORGANISATION_KIND_PREPARATION_GROUP;
    default:
      return parent == v1::ORGANISATION_KIND_DISTRICT;
  }
}

template <class Request>
std::string DigestOf(const Request& request) {
  return request.has_external_id() ? ExternalDigest(request.external_id()) : "";
}

}  // namespace

eventstore::QueryItem Organisations::Reads(const std::string& org_id) {
  return runtime::Of<v1::OrganisationCreated, v1::OrganisationRenamed, v1::OrganisationClosed>(
      {Tag("org", org_id)});
}

eventstore::QueryItem Organisations::ReadsDigest(const std::string& digest) {
  return runtime::Of<v1::OrganisationCreated>({Tag("external", digest)});
}

void Organisations::Apply(const eventstore::EventView& event) {
  if (const auto created = runtime::As<v1::OrganisationCreated>(event)) {
    v1::OrganisationEntry& entry = by_id[created->org_id()];
    entry.set_org_id(created->org_id());
    entry.set_parent_id(created->parent_id());
    entry.set_kind(created->kind());
    entry.set_name(created->name());
    entry.set_subject(created->subject());
    entry.set_stage(created->stage());
    entry.set_grade(created->grade());
    entry.set_rural(created->rural());
    if (!created->external_digest().empty()) external_digests.insert(created->external_digest());
  } else if (const auto renamed = runtime::As<v1::OrganisationRenamed>(event)) {
    by_id[renamed->org_id()].set_name(renamed->name());
  } else if (const auto closed = runtime::As<v1::OrganisationClosed>(event)) {
    by_id[closed->org_id()].set_closed_on(closed->closed_on());
  }
}

const v1::OrganisationEntry& Organisations::Get(const std::string& org_id) const {
  const auto found = by_id.find(org_id);
  QL_CHECK(found != by_id.end(), "an organisation that is decided about was read");
  return found->second;
}

absl::Status Organisations::MustBeOpen(const std::string& org_id) const {
  if (Get(org_id).closed_on().empty()) return absl::OkStatus();
  return Refuse("ORGANISATION_CLOSED", {{"date", Get(org_id).closed_on()}});
}

absl::Status Organisations::MustTakePosts(const std::string& org_id) const {
  QL_RETURN_IF_ERROR(MustBeOpen(org_id));
  switch (Get(org_id).kind()) {
    case v1::ORGANISATION_KIND_RESEARCH_GROUP:
    case v1::ORGANISATION_KIND_PREPARATION_GROUP:
    case v1::ORGANISATION_KIND_ALLIANCE:
      return Refuse("POST_NEEDS_PLACE");
    default:
      return absl::OkStatus();
  }
}

Query CreateDistrict::Reads(const Command& command, const Model&) {
  if (!command.has_external_id()) return Query::Nothing();
  return Query{{Organisations::ReadsDigest(DigestOf(command))}};
}

absl::StatusOr<Events> CreateDistrict::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  if (!model.external_digests.empty()) return runtime::Duplicate("EXTERNAL_ID_TAKEN");
  v1::OrganisationCreated created;
  created.set_org_id(given.new_id());
  created.set_kind(v1::ORGANISATION_KIND_DISTRICT);
  created.set_name(command.name());
  created.set_external_digest(DigestOf(command));
  return Events{
      MakeEvent(created, given.today, OrganisationTags(created.org_id(), "", created.external_digest()))};
}

Query CreateOrganisation::Reads(const Command& command, const Model&) {
  Query query{{Organisations::Reads(command.parent_id())}};
  if (command.has_external_id()) query.items.push_back(Organisations::ReadsDigest(DigestOf(command)));
  return query;
}

absl::StatusOr<Events> CreateOrganisation::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  const std::string digest = DigestOf(command);
  if (model.external_digests.contains(digest)) return runtime::Duplicate("EXTERNAL_ID_TAKEN");
  QL_RETURN_IF_ERROR(model.MustBeOpen(command.parent_id()));
  if (!MayHangBelow(command.kind(), model.Get(command.parent_id()).kind())) return Refuse("PARENT_KIND");
  v1::OrganisationCreated created;
  created.set_org_id(given.new_id());
  created.set_parent_id(command.parent_id());
  created.set_kind(command.kind());
  created.set_name(command.name());
  created.set_subject(command.subject());
  created.set_stage(command.stage());
  created.set_grade(command.grade());
  created.set_rural(command.rural());
  created.set_external_digest(digest);
  return Events{
      MakeEvent(created, given.today, OrganisationTags(created.org_id(), created.parent_id(), digest))};
}

Query RenameOrganisation::Reads(const Command& command, const Model&) {
  return Query{{Organisations::Reads(command.org_id())}};
}

absl::StatusOr<Events> RenameOrganisation::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  QL_RETURN_IF_ERROR(model.MustBeOpen(command.org_id()));
  const v1::OrganisationEntry& entry = model.Get(command.org_id());
  if (entry.name() == command.name()) return Refuse("NOTHING_CHANGES");
  v1::OrganisationRenamed renamed;
  renamed.set_org_id(command.org_id());
  renamed.set_name(command.name());
  renamed.set_reason(command.reason());
  return Events{MakeEvent(renamed, given.today, OrganisationTags(command.org_id(), entry.parent_id(), ""))};
}

Query CloseOrganisation::Reads(const Command& command, const Model&) {
  return Query{{Organisations::Reads(command.org_id())}};
}

absl::StatusOr<Events> CloseOrganisation::Decide(const Model& model, const Command& command,
                                                 const Given&) {
  QL_RETURN_IF_ERROR(model.MustBeOpen(command.org_id()));
  v1::OrganisationClosed closed;
  closed.set_org_id(command.org_id());
  closed.set_closed_on(command.closed_on());
  closed.set_reason(command.reason());
  return Events{MakeEvent(closed, runtime::Day(command.closed_on()),
                          OrganisationTags(command.org_id(), model.Get(command.org_id()).parent_id(), ""))};
}

}  // namespace qinglan::registry
