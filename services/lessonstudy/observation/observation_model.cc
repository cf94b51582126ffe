#include "services/lessonstudy/observation/observation_model.h"

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Tag;

void ObservationsModel::Apply(const eventstore::EventView& event) {
  if (const auto recorded = As<v1::ObservationRecorded>(event)) {
    v1::Observation& observation = by_id[recorded->observation_id()];
    observation.set_observation_id(recorded->observation_id());
    observation.set_observer_id(recorded->observer_id());
    observation.set_observed_id(recorded->observed_id());
    observation.set_org_id(recorded->org_id());
    *observation.mutable_facts() = recorded->facts();
    observation.set_cycle_id(recorded->cycle_id());
    observation.set_formative(recorded->formative());
    ids.push_back(recorded->observation_id());
  } else if (const auto corrected = As<v1::ObservationCorrected>(event)) {
    // Known by its correction alone when only that brought it into the slot that is read: the id leads to the
    // rest.
    *by_id[corrected->observation_id()].mutable_facts() = corrected->facts();
  } else if (const auto reviewed = As<v1::ObservationReviewed>(event)) {
    if (v1::Observation* known = Find(reviewed->observation_id())) {
      known->mutable_facts()->set_review(reviewed->review());
      known->mutable_facts()->set_has_review(true);
    }
  } else if (const auto feedback = As<v1::ObservationFeedbackGiven>(event)) {
    if (v1::Observation* known = Find(feedback->observation_id())) {
      known->set_feedback_on(feedback->given_on());
      known->set_feedback(feedback->feedback());
    }
  } else if (const auto answered = As<v1::ObservationFeedbackAnswered>(event)) {
    if (v1::Observation* known = Find(answered->observation_id())) known->add_replies(answered->reply());
  } else if (const auto followed = As<v1::ObservationFollowedUp>(event)) {
    // It bears the tags of both; whoever reads the second alone knows nothing of the first.
    if (v1::Observation* known = Find(followed->observation_id())) {
      known->set_follow_up_observation_id(followed->follow_up_observation_id());
    }
  } else if (const auto withdrawn = As<v1::ObservationWithdrawn>(event)) {
    if (v1::Observation* known = Find(withdrawn->observation_id())) known->set_withdrawn(true);
  }
}

v1::Observation* ObservationsModel::Find(const std::string& id) {
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : &found->second;
}

const v1::Observation& ObservationsModel::Get(const std::string& id) const {
  const auto found = by_id.find(id);
  QL_CHECK(found != by_id.end(), "an observation that exists was read");
  return found->second;
}

eventstore::QueryItem ObservationEvents(std::vector<std::string> tags) {
  return runtime::Of<v1::ObservationRecorded, v1::ObservationCorrected, v1::ObservationReviewed,
                     v1::ObservationFeedbackGiven, v1::ObservationFeedbackAnswered, v1::ObservationFollowedUp,
                     v1::ObservationWithdrawn>(std::move(tags));
}

std::string SlotTag(const std::string& observer_id, const std::string& observed_id, const std::string& date,
                    uint32_t period_no) {
  return Tag("observation_slot", fmt::format("{}/{}/{}/{}", observer_id, observed_id, date, period_no));
}

std::string NoticeTag(const std::string& observer_id, const std::string& observed_id,
                      const std::string& date) {
  return Tag("observation_notice", fmt::format("{}/{}/{}", observer_id, observed_id, date));
}

}  // namespace qinglan::lessonstudy
