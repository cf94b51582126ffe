#include "services/lessonstudy/observation/observations.h"

#include <fmt/format.h>

#include "eventstore/check.h"
#include "services/lessonstudy/observation/rubrics.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Tag;

namespace {

// --- what recording and correcting share; Request is either's command ---

// The facts that the command states, its scores weighed against the rubric that it names.
template <class Request>
absl::StatusOr<v1::ObservationFacts> FactsOf(const ObservationSurroundings& model, const Request& command) {
  v1::ObservationFacts facts;
  if (command.rubric_id().empty()) {
    if (!command.scores().empty()) return Invalid("scores", "RUBRIC_EXPECTED");
    facts.set_has_overall_score(command.has_overall_score());
    facts.set_overall_score(command.overall_score());
  } else {
    const auto rubric = model.rubric_versions.find(command.rubric_version());
    if (rubric == model.rubric_versions.end()) {
      return runtime::Missing("rubric_version", "UNKNOWN_RUBRIC_VERSION",
                              {{"version", fmt::format("{}", command.rubric_version())}});
    }
    if (command.has_overall_score()) return Invalid("overall_score", "OVERALL_FROM_RUBRIC");
    QL_ASSIGN_OR_RETURN(const double score, WeightedScore(rubric->second, command.scores()));
    facts.set_has_overall_score(true);
    facts.set_overall_score(score);
  }
  for (const v1::GivenScore& given : command.scores()) {
    v1::DimensionScore& score = *facts.add_scores();
    score.set_key(given.key());
    score.set_points(given.points());
  }
  facts.set_date(command.date());
  facts.set_period_no(command.period_no());
  facts.set_subject(command.subject());
  facts.set_class_name(command.class_name());
  facts.set_topic(command.topic());
  facts.set_kind(command.kind());
  facts.set_level(command.level());
  facts.set_rubric_id(command.rubric_id());
  facts.set_rubric_version(command.rubric_id().empty() ? 0 : command.rubric_version());
  facts.set_review(command.review());
  facts.set_has_review(!command.review().empty());
  facts.set_follow_up_wanted(command.follow_up_wanted());
  return facts;
}

// Everything that may stand against these facts between these two teachers. `but_id` is the observation that
// is corrected.
absl::Status CheckPlace(const ObservationSurroundings& model, const std::string& observer_id,
                        const std::string& observed_id, const v1::ObservationFacts& facts,
                        const std::string& but_id, const Given& given) {
  if (runtime::Day(facts.date()) > given.today) return Invalid("date", "DATE_IN_FUTURE");
  if (facts.kind() == v1::OBSERVATION_KIND_UNANNOUNCED &&
      model.notices.contains(NoticeTag(observer_id, observed_id, facts.date()))) {
    return runtime::Refuse("WAS_ANNOUNCED", {{"date", facts.date()}});
  }
  const std::string slot = SlotTag(observer_id, observed_id, facts.date(), facts.period_no());
  for (const auto& [id, other] : model.observations.by_id) {
    if (id == but_id || other.withdrawn()) continue;
    if (SlotTag(other.observer_id(), other.observed_id(), other.facts().date(), other.facts().period_no()) ==
        slot) {
      return runtime::Duplicate("OBSERVATION_TWICE", {{"observation_id", id}, {"date", facts.date()}});
    }
  }
  return absl::OkStatus();
}

// What both must know, once the two teachers are known.
template <class Request>
eventstore::Query ReadsAround(const std::string& observer_id, const std::string& observed_id,
                              const Request& command, const ObservationSurroundings& model) {
  eventstore::Query query{
      {runtime::Of<v1::ObservationRecorded, v1::ObservationCorrected>(
           {SlotTag(observer_id, observed_id, command.date(), command.period_no())}),
       runtime::Of<v1::ObservationAnnounced>({NoticeTag(observer_id, observed_id, command.date())})}};
  if (!command.rubric_id().empty()) {
    query.items.push_back(runtime::Of<v1::RubricPublished>({Tag("rubric", command.rubric_id())}));
  }
  // Those that ever were in the slot, to see whether they still are.
  for (const auto& [id, other] : model.observations.by_id) {
    query.items.push_back(
        runtime::Of<v1::ObservationRecorded, v1::ObservationCorrected, v1::ObservationWithdrawn>(
            {Tag("observation", id)}));
  }
  return query;
}

// The observer and the offices may; the observed teacher may not, not even one who leads the school.
absl::Status CheckNotObserved(const v1::Observation& observation, const Given& given) {
  if (given.actor_teacher_id == observation.observed_id()) return runtime::Forbid("NOT_YOURS");
  return absl::OkStatus();
}

}  // namespace

// --- AnnounceObservation ---

void AnnounceObservation::Model::Apply(const eventstore::EventView& event) {
  if (As<v1::ObservationAnnounced>(event)) announced = true;
}

eventstore::Query AnnounceObservation::Reads(const Command& command, const Model&) {
  return {{runtime::Of<v1::ObservationAnnounced>(
      {NoticeTag(command.observer_id(), command.observed_id(), command.date())})}};
}

absl::StatusOr<Events> AnnounceObservation::Decide(const Model& model, const Command& command,
                                                   const Given& given) {
  if (command.observer_id() == command.observed_id()) return Invalid("observed_id", "OBSERVER_IS_OBSERVED");
  if (runtime::Day(command.date()) < given.today) return Invalid("date", "DATE_IN_PAST");
  if (model.announced) return runtime::Duplicate("OBSERVATION_ALREADY_ANNOUNCED");
  v1::ObservationAnnounced announced;
  announced.set_observer_id(command.observer_id());
  announced.set_observed_id(command.observed_id());
  announced.set_org_id(command.org_id());
  announced.set_date(command.date());
  return Events{MakeEvent(
      announced, given.today,
      {NoticeTag(command.observer_id(), command.observed_id(), command.date()), Tag("org", command.org_id()),
       Tag("teacher", command.observer_id()), Tag("teacher", command.observed_id())})};
}

// --- RecordObservation ---

void ObservationSurroundings::Apply(const eventstore::EventView& event) {
  observations.Apply(event);
  if (const auto rubric = As<v1::RubricPublished>(event)) {
    rubric_versions[rubric->version()] = *rubric;
  } else if (const auto cycle = As<v1::CycleStarted>(event)) {
    cycle_member_ids.insert(cycle->member_ids().begin(), cycle->member_ids().end());
  } else if (const auto notice = As<v1::ObservationAnnounced>(event)) {
    notices.insert(NoticeTag(notice->observer_id(), notice->observed_id(), notice->date()));
  }
}

eventstore::Query RecordObservation::Reads(const Command& command, const Model& model) {
  eventstore::Query query = ReadsAround(command.observer_id(), command.observed_id(), command, model);
  if (!command.cycle_id().empty()) {
    query.items.push_back(runtime::Of<v1::CycleStarted>({Tag("cycle", command.cycle_id())}));
  }
  return query;
}

absl::StatusOr<Events> RecordObservation::Decide(const Model& model, const Command& command,
                                                 const Given& given) {
  if (command.observer_id() == command.observed_id()) return Invalid("observed_id", "OBSERVER_IS_OBSERVED");
  // Nobody puts scores into their own record in another's name, not even who leads the school.
  if (given.actor_teacher_id == command.observed_id()) return runtime::Forbid("NOT_YOURS");
  QL_ASSIGN_OR_RETURN(const v1::ObservationFacts facts, FactsOf(model, command));
  QL_RETURN_IF_ERROR(CheckPlace(model, command.observer_id(), command.observed_id(), facts, "", given));
  const bool formative = !command.cycle_id().empty();
  if (formative && !model.cycle_member_ids.contains(command.observed_id())) {
    return runtime::Refuse("NOT_A_MEMBER");
  }
  if (!command.feedback_on().empty()) {
    if (runtime::Day(command.feedback_on()) > given.today) return Invalid("feedback_on", "DATE_IN_FUTURE");
    if (command.feedback_on() < command.date()) return Invalid("feedback_on", "FEEDBACK_BEFORE_OBSERVATION");
  }
  v1::ObservationRecorded recorded;
  recorded.set_observation_id(given.new_id());
  recorded.set_observer_id(command.observer_id());
  recorded.set_observed_id(command.observed_id());
  recorded.set_org_id(command.org_id());
  *recorded.mutable_facts() = facts;
  recorded.set_announced(!model.notices.empty());
  recorded.set_cycle_id(command.cycle_id());
  recorded.set_formative(formative);
  const std::vector<std::string> who{Tag("observation", recorded.observation_id()),
                                     Tag("teacher", command.observer_id()),
                                     Tag("teacher", command.observed_id())};
  std::vector<std::string> tags = who;
  tags.push_back(Tag("org", command.org_id()));
  tags.push_back(SlotTag(command.observer_id(), command.observed_id(), facts.date(), facts.period_no()));
  if (formative) tags.push_back(Tag("cycle", command.cycle_id()));
  Events events{MakeEvent(recorded, runtime::Day(facts.date()), std::move(tags))};
  if (!command.feedback_on().empty()) {
    v1::ObservationFeedbackGiven feedback;
    feedback.set_observation_id(recorded.observation_id());
    feedback.set_observer_id(command.observer_id());
    feedback.set_observed_id(command.observed_id());
    feedback.set_given_on(command.feedback_on());
    events.push_back(MakeEvent(feedback, runtime::Day(command.feedback_on()), who));
  }
  return events;
}

// --- CorrectObservation ---

eventstore::Query CorrectObservation::Reads(const Command& command, const Model& model) {
  eventstore::Query query{{ObservationEvents({Tag("observation", command.observation_id())})}};
  const auto known = model.observations.by_id.find(command.observation_id());
  if (known == model.observations.by_id.end()) return query;
  query.Add(ReadsAround(known->second.observer_id(), known->second.observed_id(), command, model));
  return query;
}

absl::StatusOr<Events> CorrectObservation::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  const v1::Observation& now = model.observations.Get(command.observation_id());
  QL_RETURN_IF_ERROR(CheckNotObserved(now, given));
  if (now.withdrawn()) return runtime::Refuse("OBSERVATION_IS_WITHDRAWN");
  QL_ASSIGN_OR_RETURN(const v1::ObservationFacts facts, FactsOf(model, command));
  QL_RETURN_IF_ERROR(
      CheckPlace(model, now.observer_id(), now.observed_id(), facts, command.observation_id(), given));
  v1::ObservationCorrected corrected;
  corrected.set_observation_id(command.observation_id());
  corrected.set_observer_id(now.observer_id());
  corrected.set_observed_id(now.observed_id());
  *corrected.mutable_facts() = facts;
  corrected.set_reason(command.reason());
  return Events{MakeEvent(corrected, runtime::Day(facts.date()),
                          {Tag("observation", command.observation_id()), Tag("teacher", now.observer_id()),
                           Tag("teacher", now.observed_id()),
                           SlotTag(now.observer_id(), now.observed_id(), facts.date(), facts.period_no())})};
}

// --- WithdrawObservation ---

eventstore::Query WithdrawObservation::Reads(const Command& command, const Model&) {
  return {{ObservationEvents({Tag("observation", command.observation_id())})}};
}

absl::StatusOr<Events> WithdrawObservation::Decide(const Model& model, const Command& command,
                                                   const Given& given) {
  const v1::Observation& now = model.Get(command.observation_id());
  QL_RETURN_IF_ERROR(CheckNotObserved(now, given));
  if (now.withdrawn()) return runtime::Refuse("OBSERVATION_IS_WITHDRAWN");
  v1::ObservationWithdrawn withdrawn;
  withdrawn.set_observation_id(command.observation_id());
  withdrawn.set_observer_id(now.observer_id());
  withdrawn.set_observed_id(now.observed_id());
  withdrawn.set_date(now.facts().date());
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, given.today,
                          {Tag("observation", command.observation_id()), Tag("teacher", now.observer_id()),
                           Tag("teacher", now.observed_id())})};
}

}  // namespace qinglan::lessonstudy
