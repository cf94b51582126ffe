#include "services/training/plan/enrolment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eventstore/check.h"

namespace qinglan::training {

using runtime::Events;
using runtime::MakeEvent;

absl::Status CheckRoom(const Session& session, size_t more) {
  if (session.enrolled.size() + more <= session.capacity) return absl::OkStatus();
  return runtime::Refuse("SESSION_FULL", {{"capacity", fmt::format("{}", session.capacity)},
                                          {"enrolled", fmt::format("{}", session.enrolled.size())}});
}

eventstore::NewEvent Enrolled(const Session& session, const std::string& teacher_id, bool walk_in,
                              const runtime::Given& given) {
  auto enrolled = OfSession<v1::TeacherEnrolled>(session);
  enrolled.set_teacher_id(teacher_id);
  *enrolled.mutable_facts() = session.facts;
  enrolled.set_walk_in(walk_in);
  return MakeEvent(enrolled, std::min(given.today, runtime::Day(session.FirstDay())),
                   SessionTags(session, teacher_id));
}

void EnrolTeacher::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  calendars.Apply(event);
}

eventstore::Query EnrolTeacher::Reads(const Command& command, const Model&) {
  return {{Session::ItemWithEnrolments(command.session_id()), Calendars::Item(command.teacher_id())}};
}

absl::StatusOr<Events> EnrolTeacher::Decide(const Model& model, const Command& command,
                                            const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.session.CheckOpen());
  QL_RETURN_IF_ERROR(model.calendars.Of(command.teacher_id()).CheckEnrolment(model.session));
  QL_RETURN_IF_ERROR(CheckRoom(model.session, 1));
  return Events{Enrolled(model.session, command.teacher_id(), false, given)};
}

eventstore::Query EnrolTeachers::Reads(const Command& command, const Model&) {
  eventstore::Query query{{Session::ItemWithEnrolments(command.session_id())}};
  for (const std::string& teacher_id : command.teacher_ids())
    query.items.push_back(Calendars::Item(teacher_id));
  return query;
}

absl::StatusOr<Events> EnrolTeachers::Decide(const Model& model, const Command& command,
                                             const runtime::Given& given) {
  const std::set<std::string> teachers(command.teacher_ids().begin(), command.teacher_ids().end());
  if (static_cast<int>(teachers.size()) != command.teacher_ids_size())
    return runtime::Invalid("teacher_ids", "LISTED_TWICE");
  QL_RETURN_IF_ERROR(model.session.CheckOpen());
  RefusedList refused;
  for (const std::string& teacher_id : command.teacher_ids()) {
    const absl::Status fits = model.calendars.Of(teacher_id).CheckEnrolment(model.session);
    if (!fits.ok()) refused.Add(teacher_id, fits);
  }
  QL_RETURN_IF_ERROR(refused.ToStatus("ENROLMENTS_REFUSED"));
  QL_RETURN_IF_ERROR(CheckRoom(model.session, teachers.size()));
  Events events;
  for (const std::string& teacher_id : command.teacher_ids())
    events.push_back(Enrolled(model.session, teacher_id, false, given));
  return events;
}

void WithdrawEnrolment::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  marks.Apply(event);
}

eventstore::Query WithdrawEnrolment::Reads(const Command& command, const Model&) {
  return {
      {Session::Item(command.session_id()),
       runtime::Of<v1::TeacherEnrolled, v1::EnrolmentWithdrawn, v1::AttendanceRecorded>(
           {runtime::Tag("session", command.session_id()), runtime::Tag("teacher", command.teacher_id())})}};
}

absl::StatusOr<Events> WithdrawEnrolment::Decide(const Model& model, const Command& command,
                                                 const runtime::Given& given) {
  const Session& session = model.session;
  if (!session.enrolled.contains(command.teacher_id())) return runtime::Refuse("NOT_ENROLLED");
  QL_RETURN_IF_ERROR(session.CheckOpen());
  if (!model.marks.Of(session.session_id, command.teacher_id()).empty())
    return runtime::Refuse("ATTENDANCE_RECORDED");
  auto withdrawn = OfSession<v1::EnrolmentWithdrawn>(session);
  withdrawn.set_teacher_id(command.teacher_id());
  withdrawn.set_cause(v1::WITHDRAWAL_CAUSE_REQUEST);
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, std::min(given.today, runtime::Day(session.FirstDay())),
                          SessionTags(session, command.teacher_id()))};
}

}  // namespace qinglan::training
