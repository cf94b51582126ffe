#include "services/registry/teacher.h"

#include "eventstore/check.h"

namespace qinglan::registry {
namespace {

using runtime::As;

v1::PostEntry* FindPost(v1::GetTeacherResponse& entry, const std::string& post_id) {
  for (v1::PostEntry& post : *entry.mutable_posts()) {
    if (post.post_id() == post_id) return &post;
  }
  return nullptr;
}

template <class Assignment>
void AddPost(const Assignment& assignment, const std::string& org_id, bool primary,
             v1::GetTeacherResponse& entry) {
  v1::PostEntry* post = entry.add_posts();
  post->set_post_id(assignment.post_id());
  post->set_org_id(org_id);
  post->set_kind(assignment.kind());
  post->set_primary(primary);
  post->set_subject(assignment.subject());
  post->set_stage(assignment.stage());
  post->set_starts_on(assignment.starts_on());
  post->set_rural(assignment.rural());
}

void EndPostOn(const std::string& day, v1::PostEntry* post) {
  if (post != nullptr && post->ended_on().empty()) post->set_ended_on(day);
}

std::string DayBefore(const std::string& day) { return runtime::IsoDate(runtime::Day(day) - 1); }

void ApplyPerson(const eventstore::EventView& event, Teacher& teacher) {
  if (const auto registered = As<v1::TeacherRegistered>(event)) {
    teacher.entry.set_teacher_id(registered->teacher_id());
    *teacher.entry.mutable_identity() = registered->identity();
    teacher.entry.set_teaching_since(registered->teaching_since());
    teacher.external_digests.insert(registered->external_digests().begin(),
                                    registered->external_digests().end());
  } else if (const auto identity = As<v1::TeacherIdentityCorrected>(event)) {
    *teacher.entry.mutable_identity() = identity->identity();
  } else if (const auto start = As<v1::TeachingStartCorrected>(event)) {
    teacher.entry.set_teaching_since(start->teaching_since());
  } else if (const auto linked = As<v1::TeacherLinked>(event)) {
    teacher.external_digests.insert(linked->external_digest());
  }
}

void ApplyPosts(const eventstore::EventView& event, v1::GetTeacherResponse& entry) {
  if (const auto assigned = As<v1::PostAssigned>(event)) {
    AddPost(*assigned, assigned->org_id(), assigned->primary(), entry);
  } else if (const auto ended = As<v1::PostEnded>(event)) {
    EndPostOn(ended->ended_on(), FindPost(entry, ended->post_id()));
  } else if (const auto transferred = As<v1::TeacherTransferred>(event)) {
    EndPostOn(DayBefore(transferred->starts_on()), FindPost(entry, transferred->ended_post_id()));
    AddPost(*transferred, transferred->to_org_id(), true, entry);
  } else if (const auto departed = As<v1::TeacherDeparted>(event)) {
    for (v1::PostEntry& post : *entry.mutable_posts()) EndPostOn(departed->departed_on(), &post);
    for (v1::GroupEntry& group : *entry.mutable_groups()) {
      if (group.ended_on().empty()) group.set_ended_on(departed->departed_on());
    }
    entry.set_departed_on(departed->departed_on());
  } else if (As<v1::TeacherReinstated>(event)) {
    entry.clear_departed_on();
  }
}

void ApplyLeavesAndGroups(const eventstore::EventView& event, v1::GetTeacherResponse& entry) {
  if (const auto leave = As<v1::LeaveStarted>(event)) {
    v1::LeaveEntry* started = entry.add_leaves();
    started->set_leave_id(leave->leave_id());
    started->set_kind(leave->kind());
    started->set_starts_on(leave->starts_on());
  } else if (const auto returned = As<v1::TeacherReturned>(event)) {
    for (v1::LeaveEntry& open : *entry.mutable_leaves()) {
      if (open.leave_id() == returned->leave_id()) open.set_returned_on(returned->returned_on());
    }
  } else if (const auto joined = As<v1::GroupJoined>(event)) {
    v1::GroupEntry* group = entry.add_groups();
    group->set_org_id(joined->org_id());
    group->set_starts_on(joined->starts_on());
    group->set_leads(joined->leads());
  } else if (const auto left = As<v1::GroupLeft>(event)) {
    for (v1::GroupEntry& group : *entry.mutable_groups()) {
      if (group.org_id() == left->org_id() && group.ended_on().empty()) group.set_ended_on(left->ended_on());
    }
  }
}

}  // namespace

eventstore::QueryItem Teacher::Reads(const std::string& teacher_id) {
  return runtime::Of<v1::TeacherRegistered, v1::TeacherIdentityCorrected, v1::TeachingStartCorrected,
                     v1::TeacherLinked, v1::PostAssigned, v1::PostEnded, v1::TeacherTransferred,
                     v1::LeaveStarted, v1::TeacherReturned, v1::TeacherDeparted, v1::TeacherReinstated,
                     v1::GroupJoined, v1::GroupLeft>({runtime::Tag("teacher", teacher_id)});
}

eventstore::QueryItem Teacher::ReadsDigest(const std::string& digest) {
  return runtime::Of<v1::TeacherRegistered, v1::TeacherLinked>({runtime::Tag("external", digest)});
}

void Teacher::Apply(const eventstore::EventView& event) {
  ApplyPerson(event, *this);
  ApplyPosts(event, entry);
  ApplyLeavesAndGroups(event, entry);
}

const v1::PostEntry* Teacher::OpenPrimaryPost() const {
  for (const v1::PostEntry& post : entry.posts()) {
    if (post.primary() && post.ended_on().empty()) return &post;
  }
  return nullptr;
}

const v1::LeaveEntry* Teacher::OpenLeave() const {
  for (const v1::LeaveEntry& leave : entry.leaves()) {
    if (leave.returned_on().empty()) return &leave;
  }
  return nullptr;
}

absl::Status Teacher::MustBeInService() const {
  if (!HasDeparted()) return absl::OkStatus();
  return runtime::Refuse("TEACHER_DEPARTED", {{"date", entry.departed_on()}});
}

absl::Status Teacher::MustTeachOn(const std::string& day) const {
  QL_RETURN_IF_ERROR(MustBeInService());
  if (day >= entry.teaching_since()) return absl::OkStatus();
  return runtime::Refuse("BEFORE_TEACHING_START", {{"date", entry.teaching_since()}});
}

}  // namespace qinglan::registry
