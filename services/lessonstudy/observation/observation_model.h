// What is known of observations, folded from their events; decisions and queries share it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

// Observations by id, each as it stands. Events of other things are passed over.
class ObservationsModel {
 public:
  std::map<std::string, v1::Observation> by_id;
  std::vector<std::string> ids;  // in the order they were recorded

  void Apply(const eventstore::EventView& event);
  // The observation `id`, which the caller has read.
  const v1::Observation& Get(const std::string& id) const;

 private:
  v1::Observation* Find(const std::string& id);
};

// Every event that ObservationsModel folds and that bears all of `tags`.
eventstore::QueryItem ObservationEvents(std::vector<std::string> tags);

// What two observations cannot share: the same observer, observed teacher, day and period. The tag is borne
// by whatever put an observation there.
std::string SlotTag(const std::string& observer_id, const std::string& observed_id, const std::string& date,
                    uint32_t period_no);

// Borne by the announcement of a coming observation.
std::string NoticeTag(const std::string& observer_id, const std::string& observed_id,
                      const std::string& date);

}  // namespace qinglan::lessonstudy
