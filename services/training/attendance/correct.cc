#include "services/training/attendance/correct.h"

#include "eventstore/check.h"
#include "qinglan/training/v1/credit_events.pb.h"

namespace qinglan::training {
namespace {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

// The event named must be what holds now for this half-day.
absl::Status CheckNamed(const CorrectAttendance::Model& model, const CorrectAttendance::Command& command) {
  const auto named = model.said.find(command.corrects_event_id());
  if (named == model.said.end()) return runtime::Refuse("CORRECTS_NOTHING");
  if (!named->second.replaced_by.empty())
    return runtime::Refuse("CORRECTED_ALREADY", {{"event_id", named->second.replaced_by}});
  if (named->second.block.has_value())
    return *named->second.block == KeyOf(command.block()) ? absl::OkStatus()
                                                          : runtime::Refuse("CORRECTS_NOTHING");
  const Marks& marks = model.marks.Of(command.session_id(), command.teacher_id());
  const auto mark = marks.find(KeyOf(command.block()));
  if (mark != marks.end()) return runtime::Refuse("CORRECTED_ALREADY", {{"event_id", mark->second.event_id}});
  for (const v1::Block& block : model.session.facts.blocks()) {
    if (KeyOf(block) == KeyOf(command.block())) return absl::OkStatus();
  }
  return runtime::Refuse("BLOCK_NOT_OF_SESSION", {{"date", command.block().date()}});
}

}  // namespace

void CorrectAttendance::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  marks.Apply(event);
  concluded.Apply(event);
  if (const auto recorded = As<v1::AttendanceRecorded>(event)) {
    said[event.Id()].block = KeyOf(recorded->block());
  } else if (const auto corrected = As<v1::AttendanceCorrected>(event)) {
    said[event.Id()].block = KeyOf(corrected->block());
    Said& former = said[corrected->corrects_event_id()];
    if (former.block.has_value()) former.replaced_by = event.Id();
  } else if (const auto assessed = As<v1::ParticipationAssessed>(event)) {
    said[event.Id()];
    if (!assessed->replaces_event_id().empty()) said[assessed->replaces_event_id()].replaced_by = event.Id();
  }
}

eventstore::Query CorrectAttendance::Reads(const Command& command, const Model&) {
  const std::vector<std::string> tags = {runtime::Tag("session", command.session_id()),
                                         runtime::Tag("teacher", command.teacher_id())};
  return {
      {Session::Item(command.session_id()),
       runtime::Of<v1::AttendanceRecorded, v1::AttendanceCorrected, v1::ParticipationAssessed,
                   v1::CreditHoursAwarded, v1::CreditHoursWithdrawn, v1::BringBackOpened, v1::BringBackClosed,
                   v1::BringBackWaived, v1::BringBackReopened, v1::BringBackCancelled>(tags)}};
}

absl::StatusOr<Events> CorrectAttendance::Decide(const Model& model, const Command& command,
                                                 const runtime::Given& given) {
  const Session& session = model.session;
  if (given.actor_teacher_id == command.teacher_id()) return runtime::Refuse("OWN_ATTENDANCE");
  QL_RETURN_IF_ERROR(CheckNamed(model, command));
  Marks marks = model.marks.Of(session.session_id, command.teacher_id());
  Mark& mark = marks[KeyOf(command.block())];
  if (mark.status == command.status()) return runtime::Refuse("NOTHING_CHANGES");

  auto corrected = OfSession<v1::AttendanceCorrected>(session);
  corrected.set_teacher_id(command.teacher_id());
  *corrected.mutable_block() = command.block();
  corrected.set_status(command.status());
  corrected.set_former_status(mark.status);
  corrected.set_corrects_event_id(command.corrects_event_id());
  corrected.set_reason(command.reason());
  Events events{
      MakeEvent(corrected, runtime::Day(command.block().date()), SessionTags(session, command.teacher_id()))};
  mark.status = command.status();
  if (session.completed) {
    Conclude(session, command.teacher_id(), Assess(session.facts, marks), model.concluded, given, events);
  }
  return events;
}

}  // namespace qinglan::training
