#include "services/lessonstudy/queries.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/lessonstudy/cycle/cycles.h"
#include "services/lessonstudy/cycle/reflections.h"
#include "services/lessonstudy/observation/observation_model.h"

namespace qinglan::lessonstudy {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using runtime::Tag;

namespace {

constexpr uint32_t kPageSizeDefault = 50;

// Folds what matches into `model`, from a log that has reached `min_position`. Returns up to where it was
// read.
template <class Model>
absl::StatusOr<Position> Fold(const EventStore& store, uint64_t min_position, eventstore::QueryItem item,
                              Model& model) {
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  if (head.value < min_position) {
    return absl::UnavailableError(
        Absl(fmt::format("the log here ends at {}, before {}", head.value, min_position)));
  }
  eventstore::ReadOptions options;
  options.up_to = head;
  QL_RETURN_IF_ERROR(store
                         .Read({{std::move(item)}}, options,
                               [&](const EventView& event) {
                                 model.Apply(event);
                                 return true;
                               })
                         .status());
  return head;
}

v1::ObservationSummary Summarise(const v1::Observation& observation) {
  const v1::ObservationFacts& facts = observation.facts();
  v1::ObservationSummary summary;
  summary.set_observation_id(observation.observation_id());
  summary.set_observer_id(observation.observer_id());
  summary.set_observed_id(observation.observed_id());
  summary.set_date(facts.date());
  summary.set_subject(facts.subject());
  summary.set_kind(facts.kind());
  summary.set_level(facts.level());
  summary.set_has_review(facts.has_review());
  summary.set_feedback_on(observation.feedback_on());
  summary.set_has_overall_score(facts.has_overall_score());
  summary.set_overall_score(facts.overall_score());
  summary.set_follow_up_wanted(facts.follow_up_wanted());
  summary.set_follow_up_observation_id(observation.follow_up_observation_id());
  return summary;
}

bool IsWanted(const v1::Observation& observation, const v1::ListObservationsRequest& request) {
  if (observation.withdrawn()) return false;
  if (request.side() == v1::OBSERVATION_SIDE_OBSERVER) {
    return observation.observer_id() == request.teacher_id();
  }
  if (request.side() == v1::OBSERVATION_SIDE_OBSERVED) {
    return observation.observed_id() == request.teacher_id();
  }
  return true;
}

}  // namespace

absl::StatusOr<v1::GetCycleResponse> GetCycle(const EventStore& store, const v1::GetCycleRequest& request) {
  CycleModel model;
  QL_ASSIGN_OR_RETURN(const Position head,
                      Fold(store, request.min_position(), CycleEvents(request.cycle_id()), model));
  v1::GetCycleResponse response;
  *response.mutable_cycle() = std::move(model.cycle);
  response.set_position(head.value);
  return response;
}

absl::StatusOr<v1::GetObservationResponse> GetObservation(const EventStore& store,
                                                          const v1::GetObservationRequest& request) {
  ObservationsModel model;
  QL_ASSIGN_OR_RETURN(const Position head,
                      Fold(store, request.min_position(),
                           ObservationEvents({Tag("observation", request.observation_id())}), model));
  v1::GetObservationResponse response;
  *response.mutable_observation() = model.Get(request.observation_id());
  response.set_position(head.value);
  return response;
}

absl::StatusOr<v1::ListObservationsResponse> ListObservations(const EventStore& store,
                                                              const v1::ListObservationsRequest& request) {
  // A token is the number of observations that were shown or passed over: they are never reordered.
  uint64_t at = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &at)) {
    return runtime::Invalid("page_token", "PAGE_TOKEN");
  }
  ObservationsModel model;
  QL_ASSIGN_OR_RETURN(
      const Position head,
      Fold(store, request.min_position(), ObservationEvents({Tag("teacher", request.teacher_id())}), model));
  const auto page_size = static_cast<int>(request.page_size() == 0 ? kPageSizeDefault : request.page_size());
  v1::ListObservationsResponse response;
  for (; at < model.ids.size(); ++at) {
    const v1::Observation& observation = model.Get(model.ids[at]);
    if (!IsWanted(observation, request)) continue;
    if (response.observations_size() == page_size) {
      response.set_next_page_token(fmt::format("{}", at));
      break;
    }
    *response.add_observations() = Summarise(observation);
  }
  response.set_position(head.value);
  return response;
}

absl::StatusOr<v1::GetReflectionResponse> GetReflection(const EventStore& store,
                                                        const v1::GetReflectionRequest& request) {
  ReflectionModel model;
  QL_ASSIGN_OR_RETURN(const Position head,
                      Fold(store, request.min_position(), ReflectionEvents(request.reflection_id()), model));
  v1::GetReflectionResponse response;
  *response.mutable_reflection() = std::move(model.reflection);
  response.set_position(head.value);
  return response;
}

}  // namespace qinglan::lessonstudy
