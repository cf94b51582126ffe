#include "services/mentoring/pairing/proposals.h"

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::mentoring {

using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

std::string YearsAfter(const std::string& day, uint32_t years) {
  const absl::CivilDay start = runtime::Day(day);
  return runtime::IsoDate(absl::CivilDay(start.year() + years, start.month(), start.day()));
}

// Serves both commands that propose.
template <class Request>
v1::PairingTerms TermsOf(const Request& command) {
  v1::PairingTerms terms;
  terms.set_mentor_id(command.mentor_id());
  terms.set_mentee_id(command.mentee_id());
  terms.set_subject(command.subject());
  terms.set_org_id(command.org_id());
  terms.set_agreement_no(command.agreement_no());
  terms.set_starts_on(command.starts_on());
  terms.set_ends_on(YearsAfter(command.starts_on(), command.term_years()));
  terms.set_term_years(command.term_years());
  return terms;
}

// What any proposal must fulfil, and its event. MENTOR_IS_MENTEE, PAIRING_TEACHER_DEPARTED,
// GOAL_OUTSIDE_TERM.
template <class Request>
absl::StatusOr<v1::PairingProposed> Propose(const StartModel& model, const Request& command,
                                            const Given& given) {
  if (command.mentor_id() == command.mentee_id()) return Invalid("mentee_id", "MENTOR_IS_MENTEE");
  v1::PairingProposed proposed;
  proposed.set_pairing_id(given.new_id());
  const v1::PairingTerms terms = TermsOf(command);
  *proposed.mutable_terms() = terms;
  QL_RETURN_IF_ERROR(model.CheckServing(terms));
  for (int i = 0; i < command.goals_size(); ++i) {
    const v1::NewGoal& wanted = command.goals(i);
    if (!wanted.due_on().empty() &&
        (wanted.due_on() < terms.starts_on() || wanted.due_on() > terms.ends_on())) {
      return Invalid(fmt::format("goals[{}].due_on", i), "GOAL_OUTSIDE_TERM");
    }
    v1::Goal& goal = *proposed.add_goals();
    goal.set_goal_id(given.new_id());
    goal.set_text(wanted.text());
    goal.set_due_on(wanted.due_on());
  }
  return proposed;
}

eventstore::NewEvent ProposedEvent(const v1::PairingProposed& proposed, absl::CivilDay day) {
  return MakeEvent(
      proposed, day,
      {Tag("pairing", proposed.pairing_id()), Tag("org", proposed.terms().org_id()),
       Tag("teacher", proposed.terms().mentor_id()), Tag("teacher", proposed.terms().mentee_id())});
}

eventstore::NewEvent StartedEvent(const std::string& pairing_id, const v1::PairingTerms& terms) {
  v1::PairingStarted started;
  started.set_pairing_id(pairing_id);
  *started.mutable_terms() = terms;
  return MakeEvent(
      started, runtime::Day(terms.starts_on()),
      {Tag("pairing", pairing_id), Tag("teacher", terms.mentor_id()), Tag("teacher", terms.mentee_id())});
}

bool IsOpen(const v1::Pairing& pairing) {
  return pairing.status() == v1::PAIRING_STATUS_PROPOSED || pairing.status() == v1::PAIRING_STATUS_ACCEPTED;
}

}  // namespace

// --- ProposePairing ---

eventstore::Query ProposePairing::Reads(const Command& command, const Model&) {
  if (command.mentor_id() == command.mentee_id()) return eventstore::Query::Nothing();  // refused anyway
  eventstore::Query query{
      {PairingCourse({Tag("teacher", command.mentor_id()), Tag("teacher", command.mentee_id())})}};
  query.Add(StartModel::ServiceReads(command.mentor_id(), command.mentee_id()));
  return query;
}

absl::StatusOr<Events> ProposePairing::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  QL_ASSIGN_OR_RETURN(v1::PairingProposed proposed, Propose(model, command, given));
  for (const auto& [id, other] : model.pairings.by_id) {
    if (IsOpen(other) && other.terms().mentor_id() == command.mentor_id() &&
        other.terms().mentee_id() == command.mentee_id() && other.terms().subject() == command.subject()) {
      return runtime::Duplicate("PAIRING_ALREADY_PROPOSED", {{"pairing_id", id}});
    }
  }
  v1::Pairing pair;
  *pair.mutable_terms() = proposed.terms();
  proposed.set_proposed_by(SideOf(pair, given));
  return Events{ProposedEvent(proposed, given.today)};
}

// --- AcceptPairing ---

eventstore::Query AcceptPairing::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> AcceptPairing::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  const v1::Side side = SideOf(pairing, given);
  if (side == v1::SIDE_OFFICE) return runtime::Forbid("NOT_YOURS");
  if (!IsOpen(pairing)) return Refuse("PAIRING_NOT_OPEN");
  if (side == v1::SIDE_MENTOR ? pairing.mentor_accepted() : pairing.mentee_accepted()) {
    return Refuse("PAIRING_ALREADY_ACCEPTED");
  }
  v1::PairingAccepted accepted;
  SetWho(pairing, accepted);
  accepted.set_side(side);
  return Events{MakeEvent(accepted, given.today, TagsOf(pairing))};
}

// --- DeclinePairing ---

eventstore::Query DeclinePairing::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> DeclinePairing::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (!IsOpen(pairing)) return Refuse("PAIRING_NOT_OPEN");
  v1::PairingDeclined declined;
  SetWho(pairing, declined);
  declined.set_side(SideOf(pairing, given));
  declined.set_reason(command.reason());
  return Events{MakeEvent(declined, given.today, TagsOf(pairing))};
}

// --- StartPairing ---

eventstore::Query StartPairing::Reads(const Command& command, const Model& model) {
  eventstore::Query query{{PairingCourse({Tag("pairing", command.pairing_id())})}};
  const auto known = model.pairings.by_id.find(command.pairing_id());
  if (known == model.pairings.by_id.end()) return query;
  const v1::PairingTerms& terms = known->second.terms();
  query.Add(model.Reads(terms.mentor_id(), terms.mentee_id(), terms.org_id()));
  return query;
}

absl::StatusOr<Events> StartPairing::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.pairings.Get(command.pairing_id());
  if (!IsOpen(pairing)) return Refuse("PAIRING_NOT_OPEN");
  if (pairing.status() != v1::PAIRING_STATUS_ACCEPTED) return Refuse("PAIRING_NOT_ACCEPTED");
  v1::PairingTerms terms = pairing.terms();
  if (!command.started_on().empty()) {
    // Both have agreed to a day; one of them alone cannot make the pairing older than that.
    if (SideOf(pairing, given) != v1::SIDE_OFFICE && command.started_on() < terms.starts_on()) {
      return Invalid("started_on", "STARTED_BEFORE_AGREED", {{"date", terms.starts_on()}});
    }
    terms.set_starts_on(command.started_on());
    terms.set_ends_on(YearsAfter(command.started_on(), terms.term_years()));
  }
  if (runtime::Day(terms.starts_on()) > given.today) return Invalid("started_on", "DATE_IN_FUTURE");
  QL_RETURN_IF_ERROR(model.CheckServing(terms));
  QL_RETURN_IF_ERROR(model.CheckPlaces(terms, command.pairing_id()));
  return Events{StartedEvent(command.pairing_id(), terms)};
}

// --- RecordSignedPairing ---

eventstore::Query RecordSignedPairing::Reads(const Command& command, const Model& model) {
  return model.Reads(command.mentor_id(), command.mentee_id(), command.org_id());
}

absl::StatusOr<Events> RecordSignedPairing::Decide(const Model& model, const Command& command,
                                                   const Given& given) {
  QL_ASSIGN_OR_RETURN(v1::PairingProposed proposed, Propose(model, command, given));
  if (runtime::Day(command.starts_on()) > given.today) return Invalid("starts_on", "DATE_IN_FUTURE");
  QL_RETURN_IF_ERROR(model.CheckPlaces(proposed.terms(), ""));
  proposed.set_proposed_by(v1::SIDE_OFFICE);
  proposed.set_signed_on_paper(true);
  return Events{ProposedEvent(proposed, runtime::Day(command.starts_on())),
                StartedEvent(proposed.pairing_id(), proposed.terms())};
}

}  // namespace qinglan::mentoring
