#include "services/research/projects.h"

#include <algorithm>
#include <set>
#include <utility>

#include "eventstore/check.h"
#include "services/research/claim.h"

namespace qinglan::research {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Duplicate;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

using Members = std::vector<v1::ProjectMember>;

// The project that a command names exists, because its field refers to it.
const ProjectState& Named(const Projects& model, std::string_view project_id) {
  const ProjectState* state = model.Find(project_id);
  QL_CHECK(state != nullptr, "a referred project was proposed");
  return *state;
}

Query AboutProject(const std::string& project_id) {
  return Query{{ProjectEvents({Tag("project", project_id)})}};
}

// The members as a request lists them, in order of rank, the host first.
absl::StatusOr<Members> MembersOf(const std::string& host_teacher_id,
                                  const google::protobuf::RepeatedPtrField<v1::ProjectMember>& listed) {
  Members members(listed.begin(), listed.end());
  const auto is_host = [&](const v1::ProjectMember& member) {
    return member.teacher_id() == host_teacher_id;
  };
  const auto host = std::find_if(members.begin(), members.end(), is_host);
  if (host == members.end()) {
    v1::ProjectMember first;
    first.set_teacher_id(host_teacher_id);
    first.set_role(v1::MEMBER_ROLE_HOST);
    first.set_rank(1);
    members.push_back(first);
  } else if (host->role() != v1::MEMBER_ROLE_HOST || host->rank() != 1) {
    return Invalid("members", "HOST_NOT_FIRST");
  }
  std::set<std::string_view> teachers;
  std::set<uint32_t> ranks;
  for (const v1::ProjectMember& member : members) {
    if (!teachers.insert(member.teacher_id()).second) return Invalid("members", "MEMBER_TWICE");
    if (!ranks.insert(member.rank()).second)
      return Invalid("members", "RANK_TWICE", {{"rank", std::to_string(member.rank())}});
  }
  std::sort(members.begin(), members.end(),
            [](const auto& left, const auto& right) { return left.rank() < right.rank(); });
  return members;
}

// The event of this project that `payload` is, borne by its members of now.
template <class M>
eventstore::NewEvent EventOf(const ProjectState& state, M payload, std::string_view day) {
  payload.set_project_id(state.project_id);
  payload.set_org_id(state.org_id);
  std::vector<std::string> tags{Tag("project", state.project_id), Tag("org", state.org_id)};
  for (const v1::ProjectMember& member : state.members) {
    *payload.add_members() = member;
    tags.push_back(Tag("teacher", member.teacher_id()));
  }
  return MakeEvent(payload, Day(day), std::move(tags));
}

// Whoever judges a project is none of its members.
absl::Status CheckNoMember(const ProjectState& state, const Given& given) {
  const bool member = std::any_of(state.members.begin(), state.members.end(), [&](const auto& each) {
    return each.teacher_id() == given.actor_teacher_id;
  });
  return member ? Refuse("SELF_APPROVAL") : absl::OkStatus();
}

absl::Status CheckOpen(const ProjectState& state) {
  const bool closed =
      state.status == v1::PROJECT_STATUS_CONCLUDED || state.status == v1::PROJECT_STATUS_TERMINATED;
  return closed ? Refuse("PROJECT_CLOSED", {{"ended_on", state.ended_on}}) : absl::OkStatus();
}

absl::Status CheckRunning(const ProjectState& state) {
  QL_RETURN_IF_ERROR(CheckOpen(state));
  return state.status == v1::PROJECT_STATUS_APPROVED ? absl::OkStatus() : Refuse("PROJECT_NOT_APPROVED");
}

absl::Status CheckPast(const std::string& field, std::string_view day, const Given& given) {
  return Day(day) > given.today ? Invalid(field, "DATE_IN_FUTURE") : absl::OkStatus();
}

absl::Status CheckAfterProposal(const ProjectState& state, std::string_view day) {
  if (Day(day) < Day(state.proposed_on))
    return Refuse("BEFORE_PROPOSAL", {{"proposed_on", state.proposed_on}});
  return absl::OkStatus();
}

absl::Status CheckAfterApproval(const ProjectState& state, std::string_view day) {
  if (Day(day) < Day(state.approved_on))
    return Refuse("BEFORE_APPROVAL", {{"approved_on", state.approved_on}});
  return absl::OkStatus();
}

std::string NumberKey(const ApproveProject::Command& command) {
  return Digest({"project", Normalise(command.authority()), Normalise(command.number())});
}

template <class M>
ProjectState& Take(Projects& model, const EventView& event, const M& payload) {
  ProjectState& state = model.by_id[payload.project_id()];
  state.project_id = payload.project_id();
  state.org_id = payload.org_id();
  state.members.assign(payload.members().begin(), payload.members().end());
  state.last_at = event.position;
  return state;
}

}  // namespace

std::string ProjectState::HostTeacherId() const {
  for (const v1::ProjectMember& member : members) {
    if (member.rank() == 1) return member.teacher_id();
  }
  return "";
}

const ProjectState* Projects::Find(std::string_view project_id) const {
  const auto found = by_id.find(project_id);
  return found == by_id.end() ? nullptr : &found->second;
}

void Projects::Apply(const EventView& event) {
  if (const auto proposed = As<v1::ProjectProposed>(event)) {
    ProjectState& state = Take(*this, event, *proposed);
    state.status = v1::PROJECT_STATUS_PROPOSED;
    state.title = proposed->title();
    state.level = proposed->level();
    state.proposed_on = proposed->proposed_on();
  } else if (const auto approved = As<v1::ProjectApproved>(event)) {
    ProjectState& state = Take(*this, event, *approved);
    state.status = v1::PROJECT_STATUS_APPROVED;
    state.level = approved->level();
    state.approved_on = approved->approved_on();
    state.number = approved->number();
    state.number_key = approved->number_key();
  } else if (const auto inspected = As<v1::ProjectMidtermRecorded>(event)) {
    Take(*this, event, *inspected).midterm = inspected->outcome();
  } else if (const auto concluded = As<v1::ProjectConcluded>(event)) {
    ProjectState& state = Take(*this, event, *concluded);
    state.status = v1::PROJECT_STATUS_CONCLUDED;
    state.grade = concluded->grade();
    state.certificate_number = concluded->certificate_number();
    state.ended_on = concluded->concluded_on();
  } else if (const auto terminated = As<v1::ProjectTerminated>(event)) {
    ProjectState& state = Take(*this, event, *terminated);
    state.status = v1::PROJECT_STATUS_TERMINATED;
    state.ended_on = terminated->terminated_on();
  } else if (const auto changed = As<v1::ProjectMembersChanged>(event)) {
    Take(*this, event, *changed);
  }
}

eventstore::QueryItem ProjectEvents(std::vector<std::string> tags) {
  return runtime::Of<v1::ProjectProposed, v1::ProjectApproved, v1::ProjectMidtermRecorded,
                     v1::ProjectConcluded, v1::ProjectTerminated, v1::ProjectMembersChanged>(std::move(tags));
}

Query ProposeProject::Reads(const Command& command, const Model&) {
  return Query{{Posts::Reads(command.host_teacher_id())}};
}

absl::StatusOr<Events> ProposeProject::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  QL_RETURN_IF_ERROR(CheckPast("proposed_on", command.proposed_on(), given));
  QL_RETURN_IF_ERROR(model.CheckFiling(command.host_teacher_id(), command.org_id(), given));
  ProjectState state;
  QL_ASSIGN_OR_RETURN(state.members, MembersOf(command.host_teacher_id(), command.members()));
  state.project_id = given.new_id();
  state.org_id = command.org_id();
  v1::ProjectProposed event;
  event.set_title(command.title());
  event.set_level(command.level());
  event.set_host_teacher_id(command.host_teacher_id());
  event.set_proposed_on(command.proposed_on());
  return Events{EventOf(state, event, command.proposed_on())};
}

Query ApproveProject::Reads(const Command& command, const Model&) {
  Query query = AboutProject(command.project_id());
  query.items.push_back(runtime::Of<v1::ProjectApproved>({Tag("projectkey", NumberKey(command))}));
  return query;
}

absl::StatusOr<Events> ApproveProject::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const ProjectState& state = Named(model, command.project_id());
  if (state.status != v1::PROJECT_STATUS_PROPOSED) return Refuse("PROJECT_NOT_PROPOSED");
  QL_RETURN_IF_ERROR(CheckNoMember(state, given));
  QL_RETURN_IF_ERROR(CheckPast("approved_on", command.approved_on(), given));
  QL_RETURN_IF_ERROR(CheckAfterProposal(state, command.approved_on()));
  const std::string key = NumberKey(command);
  for (const auto& [id, other] : model.by_id) {
    if (id != state.project_id && other.number_key == key)
      return Duplicate("PROJECT_NUMBER_TAKEN", {{"number", command.number()}, {"project", id}});
  }
  v1::ProjectApproved event;
  event.set_title(state.title);
  event.set_level(command.level());
  event.set_number(command.number());
  event.set_document_number(command.document_number());
  event.set_authority(command.authority());
  event.set_approved_on(command.approved_on());
  event.set_number_key(key);
  Events events{EventOf(state, event, command.approved_on())};
  events[0].tags.push_back(Tag("projectkey", key));
  return events;
}

Query RecordMidterm::Reads(const Command& command, const Model&) {
  return AboutProject(command.project_id());
}

absl::StatusOr<Events> RecordMidterm::Decide(const Model& model, const Command& command, const Given& given) {
  const ProjectState& state = Named(model, command.project_id());
  QL_RETURN_IF_ERROR(CheckRunning(state));
  if (state.midterm == v1::MIDTERM_OUTCOME_PASSED) return Refuse("MIDTERM_PASSED");
  QL_RETURN_IF_ERROR(CheckNoMember(state, given));
  QL_RETURN_IF_ERROR(CheckPast("inspected_on", command.inspected_on(), given));
  QL_RETURN_IF_ERROR(CheckAfterApproval(state, command.inspected_on()));
  v1::ProjectMidtermRecorded event;
  event.set_level(state.level);
  event.set_outcome(command.outcome());
  event.set_inspected_on(command.inspected_on());
  event.set_advice(command.advice());
  return Events{EventOf(state, event, command.inspected_on())};
}

Query ConcludeProject::Reads(const Command& command, const Model&) {
  return AboutProject(command.project_id());
}

absl::StatusOr<Events> ConcludeProject::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  const ProjectState& state = Named(model, command.project_id());
  QL_RETURN_IF_ERROR(CheckRunning(state));
  if (state.midterm == v1::MIDTERM_OUTCOME_TO_MEND) return Refuse("MIDTERM_TO_MEND");
  QL_RETURN_IF_ERROR(CheckNoMember(state, given));
  QL_RETURN_IF_ERROR(CheckPast("concluded_on", command.concluded_on(), given));
  QL_RETURN_IF_ERROR(CheckAfterApproval(state, command.concluded_on()));
  QL_RETURN_IF_ERROR(CheckEvidence(command.evidence(), "evidence"));
  v1::ProjectConcluded event;
  event.set_title(state.title);
  event.set_level(state.level);
  event.set_grade(command.grade());
  event.set_certificate_number(command.certificate_number());
  event.set_concluded_on(command.concluded_on());
  event.set_approved_on(state.approved_on);
  *event.mutable_evidence() = command.evidence();
  return Events{EventOf(state, event, command.concluded_on())};
}

Query TerminateProject::Reads(const Command& command, const Model&) {
  return AboutProject(command.project_id());
}

absl::StatusOr<Events> TerminateProject::Decide(const Model& model, const Command& command,
                                                const Given& given) {
  const ProjectState& state = Named(model, command.project_id());
  QL_RETURN_IF_ERROR(CheckOpen(state));
  const bool approved = state.status == v1::PROJECT_STATUS_APPROVED;
  if (command.kind() == v1::TERMINATION_KIND_NOT_APPROVED && approved) return Refuse("PROJECT_NOT_PROPOSED");
  if (command.kind() == v1::TERMINATION_KIND_REVOKED && !approved) return Refuse("PROJECT_NOT_APPROVED");
  // To give one's own project up is nobody's judgement.
  if (command.kind() != v1::TERMINATION_KIND_WITHDRAWN) QL_RETURN_IF_ERROR(CheckNoMember(state, given));
  QL_RETURN_IF_ERROR(CheckPast("terminated_on", command.terminated_on(), given));
  QL_RETURN_IF_ERROR(CheckAfterProposal(state, command.terminated_on()));
  v1::ProjectTerminated event;
  event.set_kind(command.kind());
  event.set_reason(command.reason());
  event.set_terminated_on(command.terminated_on());
  return Events{EventOf(state, event, command.terminated_on())};
}

Query ChangeMembers::Reads(const Command& command, const Model&) {
  return AboutProject(command.project_id());
}

absl::StatusOr<Events> ChangeMembers::Decide(const Model& model, const Command& command, const Given& given) {
  const ProjectState& before = Named(model, command.project_id());
  QL_RETURN_IF_ERROR(CheckOpen(before));
  QL_RETURN_IF_ERROR(CheckNoMember(before, given));
  QL_RETURN_IF_ERROR(CheckPast("changed_on", command.changed_on(), given));
  QL_RETURN_IF_ERROR(CheckAfterProposal(before, command.changed_on()));
  ProjectState after = before;
  QL_ASSIGN_OR_RETURN(after.members, MembersOf(command.host_teacher_id(), command.members()));
  // Who keeps the list neither enters it nor moves within it.
  QL_RETURN_IF_ERROR(CheckNoMember(after, given));
  const bool same = std::equal(before.members.begin(), before.members.end(), after.members.begin(),
                               after.members.end(), [](const auto& left, const auto& right) {
                                 return left.SerializeAsString() == right.SerializeAsString();
                               });
  if (same) return Refuse("MEMBERS_UNCHANGED");
  v1::ProjectMembersChanged event;
  event.set_host_teacher_id(command.host_teacher_id());
  event.set_changed_on(command.changed_on());
  event.set_reason(command.reason());
  std::vector<std::string> left;
  for (const v1::ProjectMember& member : before.members) {
    const bool stays = std::any_of(after.members.begin(), after.members.end(), [&](const auto& each) {
      return each.teacher_id() == member.teacher_id();
    });
    if (!stays) left.push_back(member.teacher_id());
  }
  for (const std::string& teacher_id : left) event.add_left_teacher_ids(teacher_id);
  Events events{EventOf(after, event, command.changed_on())};
  for (const std::string& teacher_id : left) events[0].tags.push_back(Tag("teacher", teacher_id));
  return events;
}

}  // namespace qinglan::research
