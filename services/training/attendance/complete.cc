#include "services/training/attendance/complete.h"

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::training {

using runtime::Events;
using runtime::MakeEvent;

void CompleteSession::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  marks.Apply(event);
}

eventstore::Query CompleteSession::Reads(const Command& command, const Model&) {
  return {{Session::ItemWithEnrolments(command.session_id()),
           runtime::Of<v1::AttendanceRecorded, v1::AttendanceCorrected>(
               {runtime::Tag("session", command.session_id())})}};
}

absl::StatusOr<Events> CompleteSession::Decide(const Model& model, const Command& command,
                                               const runtime::Given& given) {
  const Session& session = model.session;
  QL_RETURN_IF_ERROR(session.CheckOpen());
  const absl::CivilDay last_day = runtime::Day(session.LastDay());
  if (last_day > given.today) return runtime::Refuse("SESSION_NOT_OVER", {{"date", session.LastDay()}});
  if (session.enrolled.empty()) return runtime::Refuse("SESSION_EMPTY");

  auto done = OfSession<v1::SessionCompleted>(session);
  done.set_last_day(session.LastDay());
  done.set_enrolled(static_cast<uint32_t>(session.enrolled.size()));
  uint32_t completed = 0;
  uint32_t unrecorded = 0;
  Events of_teachers;
  for (const auto& [teacher_id, walk_in] : session.enrolled) {
    const Outcome outcome = Assess(session.facts, model.marks.Of(session.session_id, teacher_id));
    unrecorded += outcome.blocks_unrecorded;
    if (outcome.completed) ++completed;
    Conclude(session, teacher_id, outcome, Concluded(), given, of_teachers);
  }
  if (unrecorded > 0 && !command.unrecorded_is_absent())
    return runtime::Refuse("ATTENDANCE_INCOMPLETE", {{"count", fmt::format("{}", unrecorded)}});
  done.set_completed(completed);
  Events events{MakeEvent(done, last_day, SessionTags(session))};
  events.insert(events.end(), std::make_move_iterator(of_teachers.begin()),
                std::make_move_iterator(of_teachers.end()));
  return events;
}

}  // namespace qinglan::training
