#include "services/training/model/outcome.h"

#include <algorithm>

#include "qinglan/training/v1/credit_events.pb.h"

namespace qinglan::training {
namespace {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

void AddAssessment(const Session& session, const std::string& teacher_id, const Outcome& outcome,
                   const Concluded& former, Events& events) {
  auto assessed = OfSession<v1::ParticipationAssessed>(session);
  assessed.set_teacher_id(teacher_id);
  assessed.set_title(session.facts.title());
  assessed.set_programme_title(session.facts.terms().title());
  assessed.set_level(session.facts.terms().level());
  assessed.set_direction(session.facts.terms().direction());
  assessed.set_first_day(session.FirstDay());
  assessed.set_last_day(session.LastDay());
  assessed.set_completed(outcome.completed);
  assessed.set_blocks_total(static_cast<uint32_t>(session.facts.blocks_size()));
  assessed.set_blocks_attended(outcome.blocks_attended);
  assessed.set_blocks_excused(outcome.blocks_excused);
  assessed.set_blocks_unrecorded(outcome.blocks_unrecorded);
  assessed.set_credit_tenths(outcome.credit_tenths);
  assessed.set_replaces_event_id(former.assessment_event_id);
  events.push_back(MakeEvent(assessed, runtime::Day(session.LastDay()), SessionTags(session, teacher_id)));
}

void AddWithdrawal(const Session& session, const std::string& teacher_id, const Concluded& former,
                   Events& events) {
  auto withdrawn = OfSession<v1::CreditHoursWithdrawn>(session);
  withdrawn.set_teacher_id(teacher_id);
  withdrawn.set_award_event_id(former.award_event_id);
  withdrawn.set_credit_tenths(former.award_tenths);
  withdrawn.set_earned_on(session.LastDay());
  withdrawn.set_cause(v1::CREDIT_WITHDRAWAL_CAUSE_ATTENDANCE_CORRECTED);
  events.push_back(MakeEvent(withdrawn, runtime::Day(session.LastDay()), SessionTags(session, teacher_id)));
}

void AddAward(const Session& session, const std::string& teacher_id, uint32_t tenths, const Concluded& former,
              Events& events) {
  auto awarded = OfSession<v1::CreditHoursAwarded>(session);
  awarded.set_teacher_id(teacher_id);
  awarded.set_title(session.facts.title());
  awarded.set_programme_title(session.facts.terms().title());
  awarded.set_level(session.facts.terms().level());
  awarded.set_direction(session.facts.terms().direction());
  awarded.set_credit_tenths(tenths);
  awarded.set_earned_on(session.LastDay());
  awarded.set_first_day(session.FirstDay());
  awarded.set_replaces_award_event_id(former.award_event_id);
  events.push_back(MakeEvent(awarded, runtime::Day(session.LastDay()), SessionTags(session, teacher_id)));
}

std::vector<std::string> DutyTags(const Session& session, const std::string& teacher_id,
                                  const std::string& obligation_id) {
  return TagsOf({{"obligation", obligation_id},
                 {"teacher", teacher_id},
                 {"org", session.org_id},
                 {"session", session.session_id},
                 {"programme", session.programme_id}});
}

void OpenDuty(const Session& session, const std::string& teacher_id, const runtime::Given& given,
              Events& events) {
  const v1::BringBackRule& rule = session.facts.terms().bring_back();
  const absl::CivilDay opened = runtime::Day(session.LastDay());
  auto duty = OfSession<v1::BringBackOpened>(session);
  duty.set_obligation_id(given.new_id());
  duty.set_teacher_id(teacher_id);
  duty.set_title(session.facts.title());
  duty.set_programme_title(session.facts.terms().title());
  duty.set_level(session.facts.terms().level());
  duty.set_direction(session.facts.terms().direction());
  *duty.mutable_accepted() = rule.accepted();
  duty.set_opened_on(session.LastDay());
  duty.set_due_on(runtime::IsoDate(opened + rule.days_allowed()));
  events.push_back(MakeEvent(duty, opened, DutyTags(session, teacher_id, duty.obligation_id())));
}

void CancelDuty(const Session& session, const std::string& teacher_id, const Concluded& former,
                Events& events) {
  auto cancelled = OfSession<v1::BringBackCancelled>(session);
  cancelled.set_obligation_id(former.obligation_id);
  cancelled.set_teacher_id(teacher_id);
  events.push_back(MakeEvent(cancelled, runtime::Day(session.LastDay()),
                             DutyTags(session, teacher_id, former.obligation_id)));
}

}  // namespace

void MarkBook::Apply(const eventstore::EventView& event) {
  if (const auto recorded = As<v1::AttendanceRecorded>(event)) {
    by_session_[recorded->session_id()][recorded->teacher_id()][KeyOf(recorded->block())] =
        Mark{recorded->status(), event.Id(), false};
    return;
  }
  if (const auto corrected = As<v1::AttendanceCorrected>(event)) {
    by_session_[corrected->session_id()][corrected->teacher_id()][KeyOf(corrected->block())] =
        Mark{corrected->status(), event.Id(), true};
  }
}

const Marks& MarkBook::Of(const std::string& session_id, const std::string& teacher_id) const {
  static const Marks empty;
  const auto session = by_session_.find(session_id);
  if (session == by_session_.end()) return empty;
  const auto marks = session->second.find(teacher_id);
  return marks == session->second.end() ? empty : marks->second;
}

bool MarkBook::Any(const std::string& session_id) const { return by_session_.contains(session_id); }

Outcome Assess(const v1::SessionFacts& facts, const Marks& marks) {
  const v1::CreditRule& rule = facts.terms().credit_rule();
  Outcome outcome;
  for (const v1::Block& block : facts.blocks()) {
    const auto mark = marks.find(KeyOf(block));
    if (mark == marks.end()) {
      ++outcome.blocks_unrecorded;
      continue;
    }
    const auto status = mark->second.status;
    if (std::find(rule.counted().begin(), rule.counted().end(), status) != rule.counted().end())
      ++outcome.blocks_attended;
    if (status == v1::ATTENDANCE_STATUS_EXCUSED) ++outcome.blocks_excused;
  }
  const auto total = static_cast<uint32_t>(facts.blocks_size());
  outcome.completed = outcome.blocks_attended > 0 &&
                      outcome.blocks_attended * 100 >= rule.minimum_attendance_percent() * total;
  if (rule.basis() == v1::CREDIT_BASIS_PER_BLOCK) {
    outcome.credit_tenths = facts.credit_tenths_per_block() * outcome.blocks_attended;
  } else if (outcome.completed) {
    outcome.credit_tenths = PotentialTenths(facts);
  }
  return outcome;
}

void Concluded::Apply(const eventstore::EventView& event) {
  if (const auto assessed = As<v1::ParticipationAssessed>(event)) {
    assessment_event_id = event.Id();
    outcome = Outcome{assessed->completed(), assessed->blocks_attended(), assessed->blocks_excused(),
                      assessed->blocks_unrecorded(), assessed->credit_tenths()};
    return;
  }
  if (const auto awarded = As<v1::CreditHoursAwarded>(event)) {
    award_event_id = event.Id();
    award_tenths = awarded->credit_tenths();
    return;
  }
  if (const auto withdrawn = As<v1::CreditHoursWithdrawn>(event)) {
    if (withdrawn->award_event_id() != award_event_id) return;
    award_event_id.clear();
    award_tenths = 0;
    if (withdrawn->cause() == v1::CREDIT_WITHDRAWAL_CAUSE_DECISION) award_taken_by_decision = true;
    return;
  }
  ApplyDuty(event);
}

void Concluded::ApplyDuty(const eventstore::EventView& event) {
  if (const auto opened = As<v1::BringBackOpened>(event)) {
    obligation_id = opened->obligation_id();
    duty = Duty::kOpen;
  } else if (As<v1::BringBackClosed>(event) || As<v1::BringBackWaived>(event)) {
    duty = Duty::kSettled;
  } else if (As<v1::BringBackReopened>(event)) {
    duty = Duty::kOpen;
  } else if (As<v1::BringBackCancelled>(event)) {
    duty = Duty::kNone;
  }
}

void Conclude(const Session& session, const std::string& teacher_id, const Outcome& outcome,
              const Concluded& former, const runtime::Given& given, Events& events) {
  if (!former.assessment_event_id.empty() && former.outcome == outcome) return;
  AddAssessment(session, teacher_id, outcome, former, events);
  if (outcome.credit_tenths != former.award_tenths && !former.award_taken_by_decision) {
    if (!former.award_event_id.empty()) AddWithdrawal(session, teacher_id, former, events);
    if (outcome.credit_tenths > 0) AddAward(session, teacher_id, outcome.credit_tenths, former, events);
  }
  using Duty = Concluded::Duty;
  if (outcome.completed && session.facts.terms().has_bring_back() && former.duty == Duty::kNone)
    OpenDuty(session, teacher_id, given, events);
  if (!outcome.completed && former.duty == Duty::kOpen) CancelDuty(session, teacher_id, former, events);
}

}  // namespace qinglan::training
