#include "services/training/plan/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eventstore/check.h"

namespace qinglan::training {
namespace {

using runtime::Events;
using runtime::MakeEvent;

absl::Status CheckHours(const v1::SessionFacts& facts) {
  const uint32_t limit = facts.terms().credit_tenths();
  if (PotentialTenths(facts) <= limit) return absl::OkStatus();
  return runtime::Refuse("CREDIT_EXCEEDS_PROGRAMME",
                         {{"hours", HoursText(PotentialTenths(facts))}, {"limit", HoursText(limit)}});
}

std::set<BlockKey> KeysOf(const google::protobuf::RepeatedPtrField<v1::Block>& blocks) {
  std::set<BlockKey> keys;
  for (const v1::Block& block : blocks) keys.insert(KeyOf(block));
  return keys;
}

// Whether the command asks for other half-days than the session has. One that lists a half-day twice does not
// matter here: it is refused.
bool MovesBlocks(const Session& session, const v1::RescheduleSessionRequest& command) {
  return KeysOf(session.facts.blocks()) != KeysOf(command.blocks());
}

absl::Status CheckMove(const RescheduleSession::Model& model, const v1::SessionFacts& facts) {
  const Session& session = model.session;
  if (session.enrolled.size() > kTeachersMovedMax) {
    return runtime::Refuse("TOO_MANY_TO_MOVE", {{"enrolled", fmt::format("{}", session.enrolled.size())},
                                                {"limit", fmt::format("{}", kTeachersMovedMax)}});
  }
  RefusedList refused;
  for (const auto& [teacher_id, walk_in] : session.enrolled) {
    const absl::Status fits = model.calendars.Of(teacher_id).CheckFits(session, facts);
    if (!fits.ok()) refused.Add(teacher_id, fits);
  }
  return refused.ToStatus("MOVE_REFUSED");
}

}  // namespace

eventstore::Query ScheduleSession::Reads(const Command& command, const Model&) {
  return {{Programme::Item(command.programme_id())}};
}

absl::StatusOr<Events> ScheduleSession::Decide(const Model& model, const Command& command,
                                               const runtime::Given& given) {
  if (!command.trainer_teacher_id().empty() && !command.trainer_name().empty())
    return runtime::Invalid("trainer_name", "TRAINER_NAMED_TWICE");
  QL_RETURN_IF_ERROR(model.CheckOpen());
  v1::SessionScheduled scheduled;
  v1::SessionFacts& facts = *scheduled.mutable_facts();
  facts.set_title(command.title());
  *facts.mutable_terms() = model.terms;
  *facts.mutable_blocks() = command.blocks();
  QL_RETURN_IF_ERROR(SortBlocks(model.starts_on, *facts.mutable_blocks()));
  facts.set_credit_tenths_per_block(command.credit_tenths_per_block());
  facts.set_place(command.place());
  QL_RETURN_IF_ERROR(CheckHours(facts));

  scheduled.set_session_id(given.new_id());
  scheduled.set_programme_id(model.programme_id);
  scheduled.set_org_id(model.org_id);
  scheduled.set_capacity(command.capacity());
  scheduled.set_trainer_teacher_id(command.trainer_teacher_id());
  scheduled.set_trainer_name(command.trainer_name());
  return Events{MakeEvent(scheduled, std::min(given.today, runtime::Day(facts.blocks(0).date())),
                          TagsOf({{"session", scheduled.session_id()},
                                  {"programme", model.programme_id},
                                  {"org", model.org_id},
                                  {"teacher", command.trainer_teacher_id()}}))};
}

void RescheduleSession::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  programme.Apply(event);
  calendars.Apply(event);
  marks.Apply(event);
}

eventstore::Query RescheduleSession::Reads(const Command& command, const Model& model) {
  eventstore::Query query{
      {Session::ItemWithEnrolments(command.session_id()),
       runtime::Of<v1::AttendanceRecorded>({runtime::Tag("session", command.session_id())})}};
  const Session& session = model.session;
  if (!session.known) return query;
  query.items.push_back(Programme::Item(session.programme_id));
  if (!MovesBlocks(session, command) || session.enrolled.size() > kTeachersMovedMax) return query;
  for (const auto& [teacher_id, walk_in] : session.enrolled)
    query.items.push_back(Calendars::Item(teacher_id));
  return query;
}

absl::StatusOr<Events> RescheduleSession::Decide(const Model& model, const Command& command,
                                                 const runtime::Given& given) {
  const Session& session = model.session;
  QL_RETURN_IF_ERROR(session.CheckOpen());
  if (model.marks.Any(session.session_id)) return runtime::Refuse("ATTENDANCE_RECORDED");
  if (command.capacity() < session.enrolled.size()) {
    return runtime::Refuse("CAPACITY_BELOW_ENROLLED",
                           {{"enrolled", fmt::format("{}", session.enrolled.size())}});
  }
  v1::SessionFacts facts = session.facts;
  *facts.mutable_blocks() = command.blocks();
  QL_RETURN_IF_ERROR(SortBlocks(model.programme.starts_on, *facts.mutable_blocks()));
  facts.set_place(command.place());
  QL_RETURN_IF_ERROR(CheckHours(facts));
  const bool moved = MovesBlocks(session, command);
  const bool elsewhere = facts.place() != session.facts.place();
  if (!moved && !elsewhere && command.capacity() == session.capacity)
    return runtime::Refuse("NOTHING_CHANGES");
  if (moved) QL_RETURN_IF_ERROR(CheckMove(model, facts));

  auto rescheduled = OfSession<v1::SessionRescheduled>(session);
  *rescheduled.mutable_facts() = facts;
  rescheduled.set_capacity(command.capacity());
  rescheduled.set_reason(command.reason());
  const absl::CivilDay day =
      std::min({given.today, runtime::Day(session.FirstDay()), runtime::Day(facts.blocks(0).date())});
  Events events{MakeEvent(rescheduled, day, SessionTags(session))};
  if (!moved && !elsewhere) return events;
  for (const auto& [teacher_id, walk_in] : session.enrolled) {
    auto enrolment = OfSession<v1::EnrolmentMoved>(session);
    enrolment.set_teacher_id(teacher_id);
    *enrolment.mutable_facts() = facts;
    events.push_back(MakeEvent(enrolment, day, SessionTags(session, teacher_id)));
  }
  return events;
}

void CancelSession::Model::Apply(const eventstore::EventView& event) {
  session.Apply(event);
  marks.Apply(event);
}

eventstore::Query CancelSession::Reads(const Command& command, const Model&) {
  return {{Session::ItemWithEnrolments(command.session_id()),
           runtime::Of<v1::AttendanceRecorded>({runtime::Tag("session", command.session_id())})}};
}

absl::StatusOr<Events> CancelSession::Decide(const Model& model, const Command& command,
                                             const runtime::Given& given) {
  const Session& session = model.session;
  QL_RETURN_IF_ERROR(session.CheckOpen());
  if (model.marks.Any(session.session_id)) return runtime::Refuse("ATTENDANCE_RECORDED");
  auto cancelled = OfSession<v1::SessionCancelled>(session);
  cancelled.set_reason(command.reason());
  const absl::CivilDay day = std::min(given.today, runtime::Day(session.FirstDay()));
  Events events{MakeEvent(cancelled, day, SessionTags(session))};
  for (const auto& [teacher_id, walk_in] : session.enrolled) {
    auto withdrawn = OfSession<v1::EnrolmentWithdrawn>(session);
    withdrawn.set_teacher_id(teacher_id);
    // Why stands with the session alone: a copy would outlive its erasure, and need the teacher's key.
    withdrawn.set_cause(v1::WITHDRAWAL_CAUSE_SESSION_CANCELLED);
    events.push_back(MakeEvent(withdrawn, day, SessionTags(session, teacher_id)));
  }
  return events;
}

}  // namespace qinglan::training
