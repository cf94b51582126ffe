#include "services/runtime/access/access.h"

#include <algorithm>

#include "eventstore/check.h"
#include "services/runtime/access/denial.h"
#include "services/runtime/access/first_event.h"
#include "services/runtime/decision.h"

namespace qinglan::runtime {
namespace {

using eventstore::EventView;
using rules::v1::Grant;

constexpr std::string_view kTeacher = "teacher";
constexpr std::string_view kOrganisation = "org";
constexpr std::string_view kTeacherTag = "teacher:";

bool HoldsRole(const Grant& grant, const RoleAt& role) {
  return std::find(grant.roles().begin(), grant.roles().end(), role.role) != grant.roles().end();
}

}  // namespace

absl::Status Access::Authorize(const Principal& principal, const google::protobuf::MethodDescriptor& method,
                               const google::protobuf::Message& request, absl::CivilDay today) {
  QL_RETURN_IF_ERROR(placement_.catch_up());
  for (const Reference& reference : ReferencesOf(request)) QL_RETURN_IF_ERROR(ThingOf(reference).status());
  for (const Grant& grant : method.options().GetExtension(rules::v1::access).grants()) {
    QL_ASSIGN_OR_RETURN(const bool allowed, Allows(grant, principal, request, today));
    if (allowed) return absl::OkStatus();
  }
  return NotAllowed(method);
}

absl::StatusOr<Access::Thing> Access::ThingOf(const Reference& reference) {
  const std::string tag = reference.Tag();
  {
    absl::MutexLock lock(&mutex_);
    const auto known = things_.find(tag);
    if (known != things_.end()) return known->second;
  }
  Thing thing;
  bool exists = false;
  absl::Status begins;
  eventstore::ReadOptions first_only;
  first_only.limit = 1;
  const auto read = store_.Read(eventstore::Query{{eventstore::QueryItem{{}, {tag}}}}, first_only,
                                [&](const EventView& event) {
                                  exists = true;
                                  begins = CheckBegins(event, reference);
                                  thing.org_id = std::string(TagValue(event, kOrganisation));
                                  for (std::string_view other : event.tags) {
                                    if (other.substr(0, kTeacherTag.size()) == kTeacherTag)
                                      thing.teacher_ids.emplace_back(other.substr(kTeacherTag.size()));
                                  }
                                  return false;
                                });
  QL_RETURN_IF_ERROR(read.status());
  if (!exists) return Missing(reference.field, "UNKNOWN_ID");
  QL_RETURN_IF_ERROR(begins);
  absl::MutexLock lock(&mutex_);
  if (things_.size() >= kThingsRememberedMax) things_.clear();
  return things_.insert_or_assign(tag, std::move(thing)).first->second;
}

absl::StatusOr<bool> Access::Allows(const Grant& grant, const Principal& principal,
                                    const google::protobuf::Message& request, absl::CivilDay today) {
  const bool installation = grant.scope() == rules::v1::SCOPE_INSTALLATION;
  const bool holds = std::any_of(principal.roles.begin(), principal.roles.end(), [&](const RoleAt& role) {
    return HoldsRole(grant, role) && (!installation || role.org_id.empty());
  });
  if (!holds) return false;
  if (installation || grant.scope() == rules::v1::SCOPE_ANYWHERE) return true;
  for (const std::string& path : SubjectPaths(grant)) {
    const std::vector<Reference> subjects = ReferencesAt(request, path);
    if (subjects.empty()) return false;
    for (const Reference& subject : subjects) {
      QL_ASSIGN_OR_RETURN(const bool inside, InScope(grant, principal, subject, today));
      if (!inside) return false;
    }
  }
  return true;
}

absl::StatusOr<bool> Access::InScope(const Grant& grant, const Principal& principal, const Reference& subject,
                                     absl::CivilDay today) {
  if (grant.scope() == rules::v1::SCOPE_ORGANISATION) return InOrganisation(grant, principal, subject, today);
  if (principal.teacher_id.empty()) return false;
  const bool is_teacher = subject.kind == kTeacher;
  if (grant.scope() == rules::v1::SCOPE_SELF && is_teacher) return subject.id == principal.teacher_id;
  if (grant.scope() == rules::v1::SCOPE_RELATION && is_teacher)
    return placement_.mentors(principal.teacher_id, subject.id);
  QL_ASSIGN_OR_RETURN(const Thing thing, ThingOf(subject));
  if (grant.scope() == rules::v1::SCOPE_SELF) {
    return !thing.teacher_ids.empty() && thing.teacher_ids.front() == principal.teacher_id;
  }
  return std::find(thing.teacher_ids.begin(), thing.teacher_ids.end(), principal.teacher_id) !=
         thing.teacher_ids.end();
}

absl::StatusOr<bool> Access::InOrganisation(const Grant& grant, const Principal& principal,
                                            const Reference& subject, absl::CivilDay today) {
  std::vector<std::string> places;
  if (subject.kind == kTeacher) {
    places = placement_.orgs_of(subject.id, today);
  } else if (subject.kind == kOrganisation) {
    places.push_back(subject.id);
  } else {
    QL_ASSIGN_OR_RETURN(const Thing thing, ThingOf(subject));
    // What was tagged with no organisation is private: not even a role for the whole installation reaches it.
    if (thing.org_id.empty()) return false;
    places.push_back(thing.org_id);
  }
  for (const RoleAt& role : principal.roles) {
    if (!HoldsRole(grant, role)) continue;
    if (role.org_id.empty()) return true;
    for (const std::string& place : places) {
      if (placement_.is_within(place, role.org_id)) return true;
    }
  }
  return false;
}

}  // namespace qinglan::runtime
