#include "services/registry/service_life.h"

#include <algorithm>

#include "eventstore/check.h"

namespace qinglan::registry {
namespace {

using eventstore::Query;
using runtime::Day;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

Query TeacherAndOrganisation(const std::string& teacher_id, const std::string& org_id) {
  return Query{{Teacher::Reads(teacher_id), Organisations::Reads(org_id)}};
}

std::vector<std::string> Tags(const std::string& teacher_id, const std::string& org_id) {
  return {Tag("teacher", teacher_id), Tag("org", org_id)};
}

const v1::PostEntry* FindPost(const Teacher& teacher, const std::string& post_id) {
  for (const v1::PostEntry& post : teacher.entry.posts()) {
    if (post.post_id() == post_id) return &post;
  }
  return nullptr;
}

const v1::GroupEntry* FindOpenGroup(const Teacher& teacher, const std::string& org_id) {
  for (const v1::GroupEntry& group : teacher.entry.groups()) {
    if (group.org_id() == org_id && group.ended_on().empty()) return &group;
  }
  return nullptr;
}

bool IsGroup(v1::OrganisationKind kind) {
  return kind == v1::ORGANISATION_KIND_RESEARCH_GROUP || kind == v1::ORGANISATION_KIND_PREPARATION_GROUP ||
         kind == v1::ORGANISATION_KIND_ALLIANCE;
}

}  // namespace

Query AssignPost::Reads(const Command& command, const Model&) {
  return TeacherAndOrganisation(command.teacher_id(), command.org_id());
}

absl::StatusOr<Events> AssignPost::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(model.teacher.MustTeachOn(command.starts_on()));
  QL_RETURN_IF_ERROR(model.organisations.MustTakePosts(command.org_id()));
  if (command.primary() && model.teacher.OpenPrimaryPost() != nullptr) return Refuse("PRIMARY_POST_HELD");
  for (const v1::PostEntry& post : model.teacher.entry.posts()) {
    const bool same = post.org_id() == command.org_id() && post.kind() == command.kind() &&
                      post.subject() == command.subject();
    if (same && post.ended_on().empty()) return Refuse("POST_HELD_ALREADY");
  }
  v1::PostAssigned assigned;
  assigned.set_teacher_id(command.teacher_id());
  assigned.set_post_id(given.new_id());
  assigned.set_org_id(command.org_id());
  assigned.set_kind(command.kind());
  assigned.set_primary(command.primary());
  assigned.set_subject(command.subject());
  assigned.set_stage(command.stage());
  assigned.set_starts_on(command.starts_on());
  assigned.set_rural(model.organisations.Get(command.org_id()).rural());
  return Events{MakeEvent(assigned, Day(command.starts_on()), Tags(command.teacher_id(), command.org_id()))};
}

Query EndPost::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> EndPost::Decide(const Model& model, const Command& command, const Given&) {
  const v1::PostEntry* post = FindPost(model.teacher, command.post_id());
  if (post == nullptr) return runtime::Missing("post_id", "POST_UNKNOWN");
  if (!post->ended_on().empty()) return Refuse("POST_ENDED", {{"date", post->ended_on()}});
  if (command.ended_on() < post->starts_on()) return Invalid("ended_on", "END_BEFORE_START");
  v1::PostEnded ended;
  ended.set_teacher_id(command.teacher_id());
  ended.set_post_id(command.post_id());
  ended.set_org_id(post->org_id());
  ended.set_ended_on(command.ended_on());
  ended.set_reason(command.reason());
  return Events{MakeEvent(ended, Day(command.ended_on()), Tags(command.teacher_id(), post->org_id()))};
}

Query TransferTeacher::Reads(const Command& command, const Model&) {
  return TeacherAndOrganisation(command.teacher_id(), command.to_org_id());
}

absl::StatusOr<Events> TransferTeacher::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  QL_RETURN_IF_ERROR(model.teacher.MustBeInService());
  QL_RETURN_IF_ERROR(model.organisations.MustTakePosts(command.to_org_id()));
  const v1::PostEntry* from = model.teacher.OpenPrimaryPost();
  if (from == nullptr) return Refuse("NO_PRIMARY_POST");
  if (from->org_id() == command.to_org_id()) return Refuse("SAME_ORGANISATION");
  if (command.starts_on() <= from->starts_on()) return Invalid("starts_on", "END_BEFORE_START");
  v1::TeacherTransferred transferred;
  transferred.set_teacher_id(command.teacher_id());
  transferred.set_from_org_id(from->org_id());
  transferred.set_to_org_id(command.to_org_id());
  transferred.set_starts_on(command.starts_on());
  transferred.set_ended_post_id(from->post_id());
  transferred.set_post_id(given.new_id());
  transferred.set_kind(from->kind());
  transferred.set_subject(from->subject());
  transferred.set_stage(from->stage());
  transferred.set_rural(model.organisations.Get(command.to_org_id()).rural());
  transferred.set_reason(command.reason());
  std::vector<std::string> tags = Tags(command.teacher_id(), command.to_org_id());
  tags.push_back(Tag("org", from->org_id()));
  return Events{MakeEvent(transferred, Day(command.starts_on()), std::move(tags))};
}

Query StartLeave::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> StartLeave::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(model.teacher.MustTeachOn(command.starts_on()));
  if (const v1::LeaveEntry* open = model.teacher.OpenLeave())
    return Refuse("ON_LEAVE_ALREADY", {{"date", open->starts_on()}});
  for (const v1::LeaveEntry& earlier : model.teacher.entry.leaves()) {
    if (command.starts_on() < earlier.returned_on())
      return Refuse("BEFORE_LAST_RETURN", {{"date", earlier.returned_on()}});
  }
  v1::LeaveStarted started;
  started.set_teacher_id(command.teacher_id());
  started.set_leave_id(given.new_id());
  started.set_kind(command.kind());
  started.set_starts_on(command.starts_on());
  return Events{MakeEvent(started, Day(command.starts_on()), {Tag("teacher", command.teacher_id())})};
}

Query ReturnFromLeave::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> ReturnFromLeave::Decide(const Model& model, const Command& command, const Given&) {
  const v1::LeaveEntry* open = model.teacher.OpenLeave();
  if (open == nullptr) return Refuse("NOT_ON_LEAVE");
  if (command.returned_on() < open->starts_on()) return Invalid("returned_on", "END_BEFORE_START");
  v1::TeacherReturned returned;
  returned.set_teacher_id(command.teacher_id());
  returned.set_leave_id(open->leave_id());
  returned.set_returned_on(command.returned_on());
  return Events{MakeEvent(returned, Day(command.returned_on()), {Tag("teacher", command.teacher_id())})};
}

Query RecordDeparture::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> RecordDeparture::Decide(const Model& model, const Command& command, const Given&) {
  QL_RETURN_IF_ERROR(model.teacher.MustBeInService());
  std::vector<std::string> tags = {Tag("teacher", command.teacher_id())};
  for (const v1::PostEntry& post : model.teacher.entry.posts()) {
    if (!post.ended_on().empty()) continue;
    if (command.departed_on() < post.starts_on()) return Invalid("departed_on", "END_BEFORE_START");
    const std::string tag = Tag("org", post.org_id());
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  v1::TeacherDeparted departed;
  departed.set_teacher_id(command.teacher_id());
  departed.set_departed_on(command.departed_on());
  departed.set_reason(command.reason());
  return Events{MakeEvent(departed, Day(command.departed_on()), std::move(tags))};
}

Query ReinstateTeacher::Reads(const Command& command, const Model&) {
  return TeacherAndOrganisation(command.teacher_id(), command.org_id());
}

absl::StatusOr<Events> ReinstateTeacher::Decide(const Model& model, const Command& command,
                                                const Given& given) {
  if (!model.teacher.HasDeparted()) return Refuse("TEACHER_NOT_DEPARTED");
  QL_RETURN_IF_ERROR(model.organisations.MustTakePosts(command.org_id()));
  if (command.starts_on() <= model.teacher.entry.departed_on())
    return Invalid("starts_on", "END_BEFORE_START");
  v1::TeacherReinstated reinstated;
  reinstated.set_teacher_id(command.teacher_id());
  reinstated.set_starts_on(command.starts_on());
  reinstated.set_reason(command.reason());
  v1::PostAssigned post;
  post.set_teacher_id(command.teacher_id());
  post.set_post_id(given.new_id());
  post.set_org_id(command.org_id());
  post.set_kind(command.post_kind());
  post.set_primary(true);
  post.set_subject(command.subject());
  post.set_stage(command.stage());
  post.set_starts_on(command.starts_on());
  post.set_rural(model.organisations.Get(command.org_id()).rural());
  const std::vector<std::string> tags = Tags(command.teacher_id(), command.org_id());
  return Events{MakeEvent(reinstated, Day(command.starts_on()), tags),
                MakeEvent(post, Day(command.starts_on()), tags)};
}

Query JoinGroup::Reads(const Command& command, const Model&) {
  return TeacherAndOrganisation(command.teacher_id(), command.org_id());
}

absl::StatusOr<Events> JoinGroup::Decide(const Model& model, const Command& command, const Given&) {
  QL_RETURN_IF_ERROR(model.teacher.MustTeachOn(command.starts_on()));
  QL_RETURN_IF_ERROR(model.organisations.MustBeOpen(command.org_id()));
  if (!IsGroup(model.organisations.Get(command.org_id()).kind())) return Refuse("NOT_A_GROUP");
  if (FindOpenGroup(model.teacher, command.org_id()) != nullptr) return Refuse("IN_GROUP_ALREADY");
  v1::GroupJoined joined;
  joined.set_teacher_id(command.teacher_id());
  joined.set_org_id(command.org_id());
  joined.set_starts_on(command.starts_on());
  joined.set_leads(command.leads());
  return Events{MakeEvent(joined, Day(command.starts_on()), Tags(command.teacher_id(), command.org_id()))};
}

Query LeaveGroup::Reads(const Command& command, const Model&) {
  return Query{{Teacher::Reads(command.teacher_id())}};
}

absl::StatusOr<Events> LeaveGroup::Decide(const Model& model, const Command& command, const Given&) {
  const v1::GroupEntry* group = FindOpenGroup(model.teacher, command.org_id());
  if (group == nullptr) return Refuse("NOT_IN_GROUP");
  if (command.ended_on() < group->starts_on()) return Invalid("ended_on", "END_BEFORE_START");
  v1::GroupLeft left;
  left.set_teacher_id(command.teacher_id());
  left.set_org_id(command.org_id());
  left.set_ended_on(command.ended_on());
  return Events{MakeEvent(left, Day(command.ended_on()), Tags(command.teacher_id(), command.org_id()))};
}

}  // namespace qinglan::registry
