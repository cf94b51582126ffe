// What is known of pairings, folded from their events; decisions and queries share it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

// Pairings by id, each as it stands; PAIRING_STATUS_EXPIRED is the business of whoever knows the day.
class PairingsModel {
 public:
  std::map<std::string, v1::Pairing> by_id;
  std::vector<std::string> ids;                 // in the order they were proposed
  std::set<std::string> withdrawn_contact_ids;  // of all pairings

  void Apply(const eventstore::EventView& event);
  // The pairing `id`, which the caller has read.
  const v1::Pairing& Get(const std::string& id) const;

 private:
  void ApplyContacts(const eventstore::EventView& event);
};

// Every event that PairingsModel folds and that bears all of `tags`.
eventstore::QueryItem PairingEvents(std::vector<std::string> tags);

// Of these only what says whether a pairing is active, and when.
eventstore::QueryItem PairingCourse(std::vector<std::string> tags);

// It was started and is neither void nor closed.
bool IsActive(const v1::Pairing& pairing);

// The first day on which it does not count any more: closed, or its term over, whichever came first.
std::string EndOf(const v1::Pairing& pairing);

// The side that the caller is on; SIDE_OFFICE for somebody who is neither.
v1::Side SideOf(const v1::Pairing& pairing, const runtime::Given& given);

// pairing:<id> and both teachers'.
std::vector<std::string> TagsOf(const v1::Pairing& pairing);

// Fills in pairing, mentor and mentee of an event.
template <class Event>
void SetWho(const v1::Pairing& pairing, Event& event) {
  event.set_pairing_id(pairing.pairing_id());
  event.set_mentor_id(pairing.terms().mentor_id());
  event.set_mentee_id(pairing.terms().mentee_id());
}

}  // namespace qinglan::mentoring
