#include "services/mentoring/pairing/reviews.h"

#include "eventstore/check.h"

namespace qinglan::mentoring {

using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

// --- ReviewPairing ---

eventstore::Query ReviewPairing::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> ReviewPairing::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (SideOf(pairing, given) == v1::SIDE_MENTEE) return runtime::Forbid("NOT_YOURS");
  if (!IsActive(pairing)) return Refuse("PAIRING_NOT_ACTIVE");
  if (runtime::Day(command.reviewed_on()) > given.today) return Invalid("reviewed_on", "DATE_IN_FUTURE");
  if (command.reviewed_on() < pairing.terms().starts_on()) {
    return Invalid("reviewed_on", "REVIEW_BEFORE_START");
  }
  v1::PairingReviewed reviewed;
  SetWho(pairing, reviewed);
  reviewed.set_reviewed_on(command.reviewed_on());
  reviewed.set_outcome(command.outcome());
  reviewed.set_summary(command.summary());
  reviewed.set_side(SideOf(pairing, given));
  return Events{MakeEvent(reviewed, runtime::Day(command.reviewed_on()), TagsOf(pairing))};
}

// --- ClosePairing ---

eventstore::Query ClosePairing::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> ClosePairing::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (!IsActive(pairing)) return Refuse("PAIRING_NOT_ACTIVE");
  if (runtime::Day(command.closed_on()) > given.today) return Invalid("closed_on", "DATE_IN_FUTURE");
  if (command.closed_on() < pairing.terms().starts_on()) return Invalid("closed_on", "CLOSED_BEFORE_START");
  if (command.kind() == v1::CLOSING_KIND_COMPLETED) {
    if (SideOf(pairing, given) == v1::SIDE_MENTEE) return runtime::Forbid("NOT_YOURS");
    if (command.closed_on() < pairing.terms().ends_on()) {
      return Refuse("TERM_NOT_OVER", {{"date", pairing.terms().ends_on()}});
    }
    if (command.review().empty()) return Invalid("review", "CLOSING_REVIEW_EXPECTED");
  } else if (command.reason().empty()) {
    return Invalid("reason", "REASON_EXPECTED");
  }
  v1::PairingClosed closed;
  SetWho(pairing, closed);
  closed.set_subject(pairing.terms().subject());
  closed.set_kind(command.kind());
  closed.set_starts_on(pairing.terms().starts_on());
  closed.set_closed_on(command.closed_on());
  closed.set_review(command.review());
  closed.set_reason(command.reason());
  closed.set_side(SideOf(pairing, given));
  return Events{MakeEvent(closed, runtime::Day(command.closed_on()), TagsOf(pairing))};
}

// --- VoidPairing ---

eventstore::Query VoidPairing::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> VoidPairing::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (pairing.status() == v1::PAIRING_STATUS_VOID) return Refuse("PAIRING_ALREADY_VOID");
  v1::PairingVoided voided;
  SetWho(pairing, voided);
  voided.set_reason(command.reason());
  return Events{MakeEvent(voided, given.today, TagsOf(pairing))};
}

// --- RateMentor ---

eventstore::Query RateMentor::Reads(const Command& command, const Model&) {
  return {{PairingCourse({Tag("pairing", command.pairing_id())})}};
}

absl::StatusOr<Events> RateMentor::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Pairing& pairing = model.Get(command.pairing_id());
  if (SideOf(pairing, given) != v1::SIDE_MENTEE) return runtime::Forbid("NOT_YOURS");
  if (!IsActive(pairing) && pairing.status() != v1::PAIRING_STATUS_CLOSED) {
    return Refuse("PAIRING_NOT_STARTED");
  }
  v1::MentorRated rated;
  rated.set_pairing_id(command.pairing_id());
  rated.set_org_id(pairing.terms().org_id());
  rated.set_rated_on(runtime::IsoDate(given.today));
  rated.set_guidance(command.guidance());
  rated.set_regularity(command.regularity());
  rated.set_openness(command.openness());
  // No teacher's tag and not the pairing's: nothing that shows a dossier or a pairing comes across it.
  return Events{MakeEvent(rated, given.today,
                          {Tag("org", rated.org_id()), Tag("pairing_voice", command.pairing_id())})};
}

}  // namespace qinglan::mentoring
