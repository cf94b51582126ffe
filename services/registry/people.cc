#include "services/registry/people.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "services/registry/external_id.h"

namespace qinglan::registry {
namespace {

using eventstore::Query;
using runtime::Events;
using runtime::Given;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

v1::TeacherIdentity IdentityOf(const v1::IdentityInput& input) {
  v1::TeacherIdentity identity;
  identity.set_display_name(input.display_name());
  identity.set_family_name(input.family_name());
  identity.set_given_name(input.given_name());
  identity.set_staff_number(input.staff_number());
  identity.set_phone(input.phone());
  return identity;
}

}  // namespace

Query RegisterTeacher::Reads(const Command& command, const Model&) {
  Query query{{Organisations::Reads(command.org_id())}};
  for (const v1::ExternalId& id : command.external_ids())
    query.items.push_back(Teacher::ReadsDigest(ExternalDigest(id)));
  return query;
}

absl::StatusOr<Events> RegisterTeacher::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  if (!model.teacher.entry.teacher_id().empty() || !model.teacher.external_digests.empty()) {
    return runtime::Duplicate("EXTERNAL_ID_TAKEN");
  }
  QL_RETURN_IF_ERROR(model.organisations.MustTakePosts(command.org_id()));
  if (command.starts_on() < command.teaching_since()) {
    return Refuse("BEFORE_TEACHING_START", {{"date", command.teaching_since()}});
  }
  v1::TeacherRegistered registered;
  registered.set_teacher_id(given.new_id());
  *registered.mutable_identity() = IdentityOf(command.identity());
  registered.set_teaching_since(command.teaching_since());
  std::vector<std::string> tags = {Tag("teacher", registered.teacher_id()), Tag("org", command.org_id())};
  for (const v1::ExternalId& id : command.external_ids()) {
    std::string tag = Tag("external", ExternalDigest(id));
    if (std::find(tags.begin(), tags.end(), tag) != tags.end())
      return runtime::Invalid("external_ids", "LISTED_TWICE");
    registered.add_external_digests(ExternalDigest(id));
    tags.push_back(std::move(tag));
  }
  v1::PostAssigned post;
  post.set_teacher_id(registered.teacher_id());
  post.set_post_id(given.new_id());
  post.set_org_id(command.org_id());
  post.set_kind(command.post_kind());
  post.set_primary(true);
  post.set_subject(command.subject());
  post.set_stage(command.stage());
  post.set_starts_on(command.starts_on());
  post.set_rural(model.organisations.Get(command.org_id()).rural());
  return Events{MakeEvent(registered, runtime::Day(command.teaching_since()), std::move(tags)),
                MakeEvent(post, runtime::Day(command.starts_on()),
                          {Tag("teacher", registered.teacher_id()), Tag("org", command.org_id())})};
}

Query CorrectIdentity::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> CorrectIdentity::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  v1::TeacherIdentityCorrected corrected;
  corrected.set_teacher_id(command.teacher_id());
  *corrected.mutable_identity() = IdentityOf(command.identity());
  corrected.set_reason(command.reason());
  if (corrected.identity().SerializeAsString() == model.teacher.entry.identity().SerializeAsString()) {
    return Refuse("NOTHING_CHANGES");
  }
  return Events{MakeEvent(corrected, given.today, {Tag("teacher", command.teacher_id())})};
}

Query CorrectTeachingStart::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> CorrectTeachingStart::Decide(const Model& model, const Command& command,
                                                    const Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return Refuse("OWN_TEACHING_START");
  if (command.teaching_since() == model.teacher.entry.teaching_since()) return Refuse("NOTHING_CHANGES");
  v1::TeachingStartCorrected corrected;
  corrected.set_teacher_id(command.teacher_id());
  corrected.set_teaching_since(command.teaching_since());
  corrected.set_reason(command.reason());
  return Events{MakeEvent(corrected, given.today, {Tag("teacher", command.teacher_id())})};
}

Query LinkTeacher::Reads(const Command& command, const Model&) {
  return Query{{Teacher::ReadsDigest(ExternalDigest(command.external_id()))}};
}

absl::StatusOr<Events> LinkTeacher::Decide(const Model& model, const Command& command, const Given& given) {
  if (!model.teacher.external_digests.empty()) return runtime::Duplicate("EXTERNAL_ID_TAKEN");
  v1::TeacherLinked linked;
  linked.set_teacher_id(command.teacher_id());
  linked.set_external_digest(ExternalDigest(command.external_id()));
  return Events{MakeEvent(linked, given.today,
                          {Tag("teacher", command.teacher_id()), Tag("external", linked.external_digest())})};
}

}  // namespace qinglan::registry
