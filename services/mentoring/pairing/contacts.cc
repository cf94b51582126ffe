#include "services/mentoring/pairing/contacts.h"

#include <algorithm>

#include "eventstore/check.h"

namespace qinglan::mentoring {

using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

bool WasStarted(const v1::Pairing& pairing) {
  return IsActive(pairing) || pairing.status() == v1::PAIRING_STATUS_CLOSED;
}

// Still being arranged, or under way.
bool TakesGoals(const v1::Pairing& pairing) {
  return pairing.status() == v1::PAIRING_STATUS_PROPOSED || pairing.status() == v1::PAIRING_STATUS_ACCEPTED ||
         IsActive(pairing);
}

}  // namespace

// --- LogContact ---

eventstore::Query LogContact::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> LogContact::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  const v1::Side side = SideOf(pairing, given);
  if (side == v1::SIDE_OFFICE) return runtime::Forbid("NOT_YOURS");
  if (!WasStarted(pairing)) return Refuse("PAIRING_NOT_STARTED");
  if (runtime::Day(command.date()) > given.today) return Invalid("date", "DATE_IN_FUTURE");
  // A term that is over without a closing goes on in life, so only the closing ends the log.
  const bool after_closing = !pairing.closed_on().empty() && command.date() > pairing.closed_on();
  if (command.date() < pairing.terms().starts_on() || after_closing) {
    return Refuse("CONTACT_OUTSIDE_TERM", {{"date", command.date()}});
  }
  v1::ContactLogged logged;
  logged.set_contact_id(given.new_id());
  SetWho(pairing, logged);
  logged.set_side(side);
  logged.set_logged_by_id(given.actor_teacher_id);
  logged.set_kind(command.kind());
  logged.set_date(command.date());
  logged.set_minutes(command.minutes());
  logged.set_note(command.note());
  return Events{MakeEvent(logged, runtime::Day(command.date()), TagsOf(pairing))};
}

// --- WithdrawContact ---

eventstore::Query WithdrawContact::Reads(const Command& command, const Model&) {
  return {{PairingEvents({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> WithdrawContact::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (model.withdrawn_contact_ids.contains(command.contact_id())) return Refuse("CONTACT_ALREADY_WITHDRAWN");
  const auto contact =
      std::find_if(pairing.contacts().begin(), pairing.contacts().end(),
                   [&](const v1::Contact& known) { return known.contact_id() == command.contact_id(); });
  if (contact == pairing.contacts().end()) return runtime::Missing("contact_id", "UNKNOWN_CONTACT");
  if (contact->side() != SideOf(pairing, given)) return runtime::Forbid("NOT_YOURS");
  v1::ContactWithdrawn withdrawn;
  withdrawn.set_contact_id(command.contact_id());
  SetWho(pairing, withdrawn);
  withdrawn.set_side(contact->side());
  withdrawn.set_date(contact->date());
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, given.today, TagsOf(pairing))};
}

// --- SetGoal ---

eventstore::Query SetGoal::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> SetGoal::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (!TakesGoals(pairing)) return Refuse("PAIRING_NOT_OPEN");
  const std::string& due_on = command.goal().due_on();
  if (!due_on.empty() && (due_on < pairing.terms().starts_on() || due_on > pairing.terms().ends_on())) {
    return Invalid("goal.due_on", "GOAL_OUTSIDE_TERM");
  }
  v1::GoalSet set;
  set.set_goal_id(given.new_id());
  SetWho(pairing, set);
  set.set_text(command.goal().text());
  set.set_due_on(due_on);
  set.set_side(SideOf(pairing, given));
  return Events{MakeEvent(set, given.today, TagsOf(pairing))};
}

// --- AchieveGoal ---

eventstore::Query AchieveGoal::Reads(const Command& command, const Model&) {
  return {{PairingEvents({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> AchieveGoal::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (SideOf(pairing, given) == v1::SIDE_MENTEE) return runtime::Forbid("NOT_YOURS");
  if (!IsActive(pairing)) return Refuse("PAIRING_NOT_ACTIVE");
  if (runtime::Day(command.achieved_on()) > given.today) return Invalid("achieved_on", "DATE_IN_FUTURE");
  if (command.achieved_on() < pairing.terms().starts_on()) return Invalid("achieved_on", "END_BEFORE_START");
  const auto state =
      std::find_if(pairing.goals().begin(), pairing.goals().end(),
                   [&](const v1::GoalState& known) { return known.goal().goal_id() == command.goal_id(); });
  if (state == pairing.goals().end()) return runtime::Missing("goal_id", "UNKNOWN_GOAL");
  if (!state->achieved_on().empty()) {
    return Refuse("GOAL_ALREADY_ACHIEVED", {{"date", state->achieved_on()}});
  }
  v1::GoalAchieved achieved;
  SetWho(pairing, achieved);
  achieved.set_goal_id(command.goal_id());
  achieved.set_achieved_on(command.achieved_on());
  achieved.set_evidence_uri(command.evidence_uri());
  achieved.set_side(SideOf(pairing, given));
  return Events{MakeEvent(achieved, runtime::Day(command.achieved_on()), TagsOf(pairing))};
}

}  // namespace qinglan::mentoring
