#include "services/mentoring/pairing/pairing_model.h"

#include <algorithm>

#include "eventstore/check.h"

namespace qinglan::mentoring {

using runtime::As;
using runtime::Tag;

void PairingsModel::Apply(const eventstore::EventView& event) {
  if (const auto proposed = As<v1::PairingProposed>(event)) {
    v1::Pairing& pairing = by_id[proposed->pairing_id()];
    ids.push_back(proposed->pairing_id());
    pairing.set_pairing_id(proposed->pairing_id());
    *pairing.mutable_terms() = proposed->terms();
    pairing.set_mentor_accepted(proposed->signed_on_paper() || proposed->proposed_by() == v1::SIDE_MENTOR);
    pairing.set_mentee_accepted(proposed->signed_on_paper() || proposed->proposed_by() == v1::SIDE_MENTEE);
    pairing.set_status(proposed->signed_on_paper() ? v1::PAIRING_STATUS_ACCEPTED
                                                   : v1::PAIRING_STATUS_PROPOSED);
    for (const v1::Goal& goal : proposed->goals()) *pairing.add_goals()->mutable_goal() = goal;
  } else if (const auto accepted = As<v1::PairingAccepted>(event)) {
    v1::Pairing& pairing = by_id[accepted->pairing_id()];
    if (accepted->side() == v1::SIDE_MENTOR) pairing.set_mentor_accepted(true);
    if (accepted->side() == v1::SIDE_MENTEE) pairing.set_mentee_accepted(true);
    if (pairing.mentor_accepted() && pairing.mentee_accepted()) {
      pairing.set_status(v1::PAIRING_STATUS_ACCEPTED);
    }
  } else if (const auto declined = As<v1::PairingDeclined>(event)) {
    by_id[declined->pairing_id()].set_status(v1::PAIRING_STATUS_DECLINED);
  } else if (const auto started = As<v1::PairingStarted>(event)) {
    v1::Pairing& pairing = by_id[started->pairing_id()];
    pairing.set_pairing_id(started->pairing_id());
    *pairing.mutable_terms() = started->terms();
    pairing.set_status(v1::PAIRING_STATUS_ACTIVE);
  } else if (const auto reviewed = As<v1::PairingReviewed>(event)) {
    v1::InterimReview& review = *by_id[reviewed->pairing_id()].add_reviews();
    review.set_reviewed_on(reviewed->reviewed_on());
    review.set_outcome(reviewed->outcome());
    review.set_summary(reviewed->summary());
  } else if (const auto closed = As<v1::PairingClosed>(event)) {
    v1::Pairing& pairing = by_id[closed->pairing_id()];
    pairing.set_status(v1::PAIRING_STATUS_CLOSED);
    pairing.set_closing(closed->kind());
    pairing.set_closed_on(closed->closed_on());
    pairing.set_closing_review(closed->review());
  } else if (const auto voided = As<v1::PairingVoided>(event)) {
    by_id[voided->pairing_id()].set_status(v1::PAIRING_STATUS_VOID);
  } else {
    ApplyContacts(event);
  }
}

void PairingsModel::ApplyContacts(const eventstore::EventView& event) {
  if (const auto logged = As<v1::ContactLogged>(event)) {
    v1::Pairing& pairing = by_id[logged->pairing_id()];
    v1::Contact& contact = *pairing.add_contacts();
    contact.set_contact_id(logged->contact_id());
    contact.set_side(logged->side());
    contact.set_kind(logged->kind());
    contact.set_date(logged->date());
    contact.set_minutes(logged->minutes());
    contact.set_note(logged->note());
    pairing.set_last_contact_on(std::max(pairing.last_contact_on(), logged->date()));
  } else if (const auto withdrawn = As<v1::ContactWithdrawn>(event)) {
    v1::Pairing& pairing = by_id[withdrawn->pairing_id()];
    withdrawn_contact_ids.insert(withdrawn->contact_id());
    auto& contacts = *pairing.mutable_contacts();
    contacts.erase(std::remove_if(contacts.begin(), contacts.end(),
                                  [&](const v1::Contact& contact) {
                                    return contact.contact_id() == withdrawn->contact_id();
                                  }),
                   contacts.end());
    pairing.clear_last_contact_on();
    for (const v1::Contact& contact : contacts) {
      pairing.set_last_contact_on(std::max(pairing.last_contact_on(), contact.date()));
    }
  } else if (const auto set = As<v1::GoalSet>(event)) {
    v1::Goal& goal = *by_id[set->pairing_id()].add_goals()->mutable_goal();
    goal.set_goal_id(set->goal_id());
    goal.set_text(set->text());
    goal.set_due_on(set->due_on());
  } else if (const auto achieved = As<v1::GoalAchieved>(event)) {
    for (v1::GoalState& state : *by_id[achieved->pairing_id()].mutable_goals()) {
      if (state.goal().goal_id() != achieved->goal_id()) continue;
      state.set_achieved_on(achieved->achieved_on());
      state.set_evidence_uri(achieved->evidence_uri());
    }
  }
}

const v1::Pairing& PairingsModel::Get(const std::string& id) const {
  const auto found = by_id.find(id);
  QL_CHECK(found != by_id.end(), "a pairing that exists was read");
  return found->second;
}

eventstore::QueryItem PairingEvents(std::vector<std::string> tags) {
  eventstore::QueryItem item = PairingCourse(std::move(tags));
  for (const std::string& type :
       {runtime::TypeOf<v1::ContactLogged>(), runtime::TypeOf<v1::ContactWithdrawn>(),
        runtime::TypeOf<v1::GoalSet>(), runtime::TypeOf<v1::GoalAchieved>(),
        runtime::TypeOf<v1::PairingReviewed>()}) {
    item.types.push_back(type);
  }
  return item;
}

eventstore::QueryItem PairingCourse(std::vector<std::string> tags) {
  return runtime::Of<v1::PairingProposed, v1::PairingAccepted, v1::PairingDeclined, v1::PairingStarted,
                     v1::PairingClosed, v1::PairingVoided>(std::move(tags));
}

bool IsActive(const v1::Pairing& pairing) { return pairing.status() == v1::PAIRING_STATUS_ACTIVE; }

std::string EndOf(const v1::Pairing& pairing) {
  if (pairing.closed_on().empty()) return pairing.terms().ends_on();
  return std::min(pairing.closed_on(), pairing.terms().ends_on());
}

v1::Side SideOf(const v1::Pairing& pairing, const runtime::Given& given) {
  if (given.actor_teacher_id == pairing.terms().mentor_id()) return v1::SIDE_MENTOR;
  if (given.actor_teacher_id == pairing.terms().mentee_id()) return v1::SIDE_MENTEE;
  return v1::SIDE_OFFICE;
}

std::vector<std::string> TagsOf(const v1::Pairing& pairing) {
  return {Tag("pairing", pairing.pairing_id()), Tag("teacher", pairing.terms().mentor_id()),
          Tag("teacher", pairing.terms().mentee_id())};
}

}  // namespace qinglan::mentoring
