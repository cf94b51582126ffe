#include "services/training/attendance/record.h"

#include <algorithm>
#include <set>

#include "eventstore/check.h"
#include "services/training/plan/enrolment.h"

namespace qinglan::training {
namespace {

using runtime::Events;
using runtime::MakeEvent;

absl::Status CheckBlock(const Session& session, const v1::Block& block, const runtime::Given& given) {
  if (runtime::Day(block.date()) > given.today) return runtime::Invalid("block.date", "DATE_IN_FUTURE");
  const std::vector<BlockKey> blocks = session.Blocks();
  if (!std::binary_search(blocks.begin(), blocks.end(), KeyOf(block)))
    return runtime::Refuse("BLOCK_NOT_OF_SESSION", {{"date", block.date()}});
  return absl::OkStatus();
}

absl::Status CheckMark(const RecordAttendance::Model& model, const v1::AttendanceMark& mark,
                       const v1::Block& block) {
  const Session& session = model.session;
  if (!session.enrolled.contains(mark.teacher_id())) {
    if (!mark.walk_in()) return runtime::Refuse("NOT_ENROLLED");
    return model.calendars.Of(mark.teacher_id()).CheckEnrolment(session);
  }
  if (model.marks.Of(session.session_id, mark.teacher_id()).contains(KeyOf(block)))
    return runtime::Refuse("RECORDED_ALREADY");
  return absl::OkStatus();
}

}  // namespace

void RecordAttendance::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  calendars.Apply(event);
  marks.Apply(event);
}

eventstore::Query RecordAttendance::Reads(const Command& command, const Model&) {
  const bool walk_ins = std::any_of(command.marks().begin(), command.marks().end(),
                                    [](const v1::AttendanceMark& mark) { return mark.walk_in(); });
  eventstore::Query query{
      {walk_ins ? Session::ItemWithEnrolments(command.session_id()) : Session::Item(command.session_id())}};
  for (const v1::AttendanceMark& mark : command.marks()) {
    if (mark.walk_in()) {
      query.items.push_back(Calendars::ItemWithAttendance(mark.teacher_id()));
    } else {
      query.items.push_back(runtime::Of<v1::TeacherEnrolled, v1::EnrolmentWithdrawn, v1::AttendanceRecorded,
                                        v1::AttendanceCorrected>(
          {runtime::Tag("session", command.session_id()), runtime::Tag("teacher", mark.teacher_id())}));
    }
  }
  return query;
}

absl::StatusOr<Events> RecordAttendance::Decide(const Model& model, const Command& command,
                                                const runtime::Given& given) {
  const Session& session = model.session;
  QL_RETURN_IF_ERROR(session.CheckOpen());
  QL_RETURN_IF_ERROR(CheckBlock(session, command.block(), given));
  std::set<std::string> seen;
  size_t walk_ins = 0;
  RefusedList refused;
  for (const v1::AttendanceMark& mark : command.marks()) {
    if (!seen.insert(mark.teacher_id()).second) return runtime::Invalid("marks", "LISTED_TWICE");
    const absl::Status fits = mark.teacher_id() == given.actor_teacher_id
                                  ? runtime::Refuse("OWN_ATTENDANCE")
                                  : CheckMark(model, mark, command.block());
    if (!fits.ok()) refused.Add(mark.teacher_id(), fits);
    if (!session.enrolled.contains(mark.teacher_id())) ++walk_ins;
  }
  QL_RETURN_IF_ERROR(refused.ToStatus("MARKS_REFUSED"));
  if (walk_ins > 0) QL_RETURN_IF_ERROR(CheckRoom(session, walk_ins));

  Events events;
  for (const v1::AttendanceMark& mark : command.marks()) {
    if (!session.enrolled.contains(mark.teacher_id()))
      events.push_back(Enrolled(session, mark.teacher_id(), true, given));
    auto recorded = OfSession<v1::AttendanceRecorded>(session);
    recorded.set_teacher_id(mark.teacher_id());
    *recorded.mutable_block() = command.block();
    recorded.set_status(mark.status());
    recorded.set_method(command.method());
    recorded.set_note(mark.note());
    recorded.set_session_title(session.facts.title());
    events.push_back(
        MakeEvent(recorded, runtime::Day(command.block().date()), SessionTags(session, mark.teacher_id())));
  }
  return events;
}

}  // namespace qinglan::training
