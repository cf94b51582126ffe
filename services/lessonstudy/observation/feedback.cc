#include "services/lessonstudy/observation/feedback.h"

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

std::vector<std::string> TagsOf(const v1::Observation& observation) {
  return {Tag("observation", observation.observation_id()), Tag("teacher", observation.observer_id()),
          Tag("teacher", observation.observed_id())};
}

template <class Event>
void SetWho(const v1::Observation& observation, Event& event) {
  event.set_observation_id(observation.observation_id());
  event.set_observer_id(observation.observer_id());
  event.set_observed_id(observation.observed_id());
}

// The observer and the offices speak about the lesson; the observed teacher replies.
absl::Status CheckSpeaker(const v1::Observation& observation, const Given& given) {
  if (given.actor_teacher_id == observation.observed_id()) return runtime::Forbid("NOT_YOURS");
  if (observation.withdrawn()) return Refuse("OBSERVATION_IS_WITHDRAWN");
  return absl::OkStatus();
}

}  // namespace

// --- AddReview ---

eventstore::Query AddReview::Reads(const Command& command, const Model&) {
  return {{ObservationEvents({Tag("observation", command.observation_id())})}};
}

absl::StatusOr<Events> AddReview::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Observation& now = model.Get(command.observation_id());
  QL_RETURN_IF_ERROR(CheckSpeaker(now, given));
  if (now.facts().has_review()) return Refuse("REVIEW_ALREADY_WRITTEN");
  if (runtime::Day(command.reviewed_on()) > given.today) return Invalid("reviewed_on", "DATE_IN_FUTURE");
  if (command.reviewed_on() < now.facts().date()) return Invalid("reviewed_on", "REVIEW_BEFORE_OBSERVATION");
  v1::ObservationReviewed reviewed;
  SetWho(now, reviewed);
  reviewed.set_date(now.facts().date());
  reviewed.set_review(command.review());
  reviewed.set_reviewed_on(command.reviewed_on());
  return Events{MakeEvent(reviewed, runtime::Day(command.reviewed_on()), TagsOf(now))};
}

// --- GiveFeedback ---

eventstore::Query GiveFeedback::Reads(const Command& command, const Model&) {
  return {{ObservationEvents({Tag("observation", command.observation_id())})}};
}

absl::StatusOr<Events> GiveFeedback::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::Observation& now = model.Get(command.observation_id());
  QL_RETURN_IF_ERROR(CheckSpeaker(now, given));
  if (!now.feedback_on().empty()) return Refuse("FEEDBACK_ALREADY_GIVEN", {{"date", now.feedback_on()}});
  const absl::CivilDay day = runtime::Day(command.given_on());
  if (day > given.today) return Invalid("given_on", "DATE_IN_FUTURE");
  if (command.given_on() < now.facts().date()) return Invalid("given_on", "FEEDBACK_BEFORE_OBSERVATION");
  v1::ObservationFeedbackGiven feedback;
  SetWho(now, feedback);
  feedback.set_given_on(command.given_on());
  // The hour is known only of feedback that is given now (当场反馈).
  if (day == given.today) {
    const int64_t micros = absl::ToUnixMicros(given.now);
    feedback.mutable_given_at()->set_seconds(micros / 1'000'000);
    feedback.mutable_given_at()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  }
  feedback.set_feedback(command.feedback());
  return Events{MakeEvent(feedback, day, TagsOf(now))};
}

// --- ReplyToFeedback ---

eventstore::Query ReplyToFeedback::Reads(const Command& command, const Model&) {
  return {{ObservationEvents({Tag("observation", command.observation_id())})}};
}

absl::StatusOr<Events> ReplyToFeedback::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  const v1::Observation& now = model.Get(command.observation_id());
  if (given.actor_teacher_id != now.observed_id()) return runtime::Forbid("NOT_YOURS");
  if (now.withdrawn()) return Refuse("OBSERVATION_IS_WITHDRAWN");
  if (now.feedback_on().empty()) return Refuse("NO_FEEDBACK_YET");
  v1::ObservationFeedbackAnswered answered;
  SetWho(now, answered);
  answered.set_reply(command.reply());
  return Events{MakeEvent(answered, given.today, TagsOf(now))};
}

// --- RecordFollowUp ---

eventstore::Query RecordFollowUp::Reads(const Command& command, const Model&) {
  return {{ObservationEvents({Tag("observation", command.observation_id())}),
           ObservationEvents({Tag("observation", command.follow_up_observation_id())})}};
}

absl::StatusOr<Events> RecordFollowUp::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  if (command.observation_id() == command.follow_up_observation_id()) {
    return Invalid("follow_up_observation_id", "SAME_OBSERVATION");
  }
  const v1::Observation& first = model.Get(command.observation_id());
  const v1::Observation& second = model.Get(command.follow_up_observation_id());
  QL_RETURN_IF_ERROR(CheckSpeaker(first, given));
  if (second.withdrawn()) return Refuse("OBSERVATION_IS_WITHDRAWN");
  if (first.observed_id() != second.observed_id()) return Refuse("OTHER_TEACHER");
  if (second.facts().date() < first.facts().date()) return Refuse("FOLLOW_UP_BEFORE_FIRST");
  if (!first.follow_up_observation_id().empty()) {
    return Refuse("FOLLOW_UP_ALREADY_RECORDED");
  }
  v1::ObservationFollowedUp followed;
  followed.set_observation_id(first.observation_id());
  followed.set_follow_up_observation_id(second.observation_id());
  followed.set_observed_id(first.observed_id());
  followed.add_observer_ids(first.observer_id());
  std::vector<std::string> tags = TagsOf(first);
  tags.push_back(Tag("observation", second.observation_id()));
  if (second.observer_id() != first.observer_id()) {
    followed.add_observer_ids(second.observer_id());
    tags.push_back(Tag("teacher", second.observer_id()));
  }
  followed.set_follow_up_date(second.facts().date());
  return Events{MakeEvent(followed, runtime::Day(second.facts().date()), std::move(tags))};
}

}  // namespace qinglan::lessonstudy
