#include "projections/dossier/areas.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace mentoring::v1;

v1::Pairing* FindPairing(const Folding& fold, const std::string& pairing_id) {
  for (v1::Pairing& pairing : *fold.dossier.mutable_pairings()) {
    if (pairing.pairing_id() == pairing_id) return &pairing;
  }
  return nullptr;
}

// A pairing counts from its start; what was only proposed is nobody's record. Its period is [starts_on,
// closed_on).
void On(const Folding& fold, const PairingStarted& started) {
  const PairingTerms& terms = started.terms();
  v1::Pairing& pairing = *fold.dossier.add_pairings();
  pairing.set_pairing_id(started.pairing_id());
  pairing.set_event_id(fold.event.Id());
  pairing.set_as_mentor(terms.mentor_id() == fold.teacher_id);
  pairing.set_other_teacher_id(pairing.as_mentor() ? terms.mentee_id() : terms.mentor_id());
  pairing.set_from(terms.starts_on());
  pairing.set_subject(terms.subject());
  pairing.set_planned_to(DayBefore(terms.ends_on()));
}

void On(const Folding& fold, const PairingClosed& closed) {
  v1::Pairing* pairing = FindPairing(fold, closed.pairing_id());
  if (pairing != nullptr) pairing->set_to(DayBefore(closed.closed_on()));
}

void On(const Folding& fold, const PairingVoided& voided) {
  v1::Pairing* pairing = FindPairing(fold, voided.pairing_id());
  if (pairing != nullptr) pairing->set_withdrawn_by(fold.event.Id());
  fold.ForEach(voided.pairing_id(), [&](v1::Evidence& evidence) { fold.Withdraw(evidence); });
}

// Both sides log a meeting, each for itself: the own log counts, the other side's only shows that they met.
void On(const Folding& fold, const ContactLogged& logged) {
  v1::Evidence& contact = fold.Add(v1::EVIDENCE_KIND_MENTORING_SESSION, logged.pairing_id(), logged.date());
  contact.set_subkind(ShortName(ContactKind_Name(logged.kind()), "CONTACT_KIND_"));
  contact.set_role(logged.mentor_id() == fold.teacher_id ? "MENTOR" : "MENTEE");
  contact.set_formative(true);
  contact.set_state(logged.contact_id());
  if (logged.logged_by_id() != fold.teacher_id) contact.set_not_counted(v1::NOT_COUNTED_OTHER_ROLE);
}

void On(const Folding& fold, const ContactWithdrawn& withdrawn) {
  fold.ForEach(withdrawn.pairing_id(), [&](v1::Evidence& evidence) {
    if (evidence.state() == withdrawn.contact_id()) fold.Withdraw(evidence);
  });
}

std::string NameOf(Milestone milestone) { return ShortName(Milestone_Name(milestone), "MILESTONE_"); }

void On(const Folding& fold, const MilestoneReached& reached) {
  v1::MilestoneFact& fact = *fold.dossier.add_milestones();
  fact.set_event_id(fold.event.Id());
  fact.set_kind(NameOf(reached.milestone()));
  fact.set_date(reached.reached_on());
  fact.set_org_id(reached.org_id());
}

void On(const Folding& fold, const MilestoneWithdrawn& withdrawn) {
  for (v1::MilestoneFact& fact : *fold.dossier.mutable_milestones()) {
    const bool named = fact.kind() == NameOf(withdrawn.milestone()) && fact.date() == withdrawn.reached_on();
    if (named && fact.withdrawn_by().empty()) fact.set_withdrawn_by(fold.event.Id());
  }
}

}  // namespace

void AddMentoring(Handlers& handlers) {
  Add<PairingStarted, On>(handlers);
  Add<PairingClosed, On>(handlers);
  Add<PairingVoided, On>(handlers);
  Add<ContactLogged, On>(handlers);
  Add<ContactWithdrawn, On>(handlers);
  Add<MilestoneReached, On>(handlers);
  Add<MilestoneWithdrawn, On>(handlers);
}

}  // namespace qinglan::dossier
