#include "services/lessonstudy/cycle/consents.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::MakeEvent;
using runtime::Tag;

namespace {

// The tag of the one thing that a consent names; empty when it names none or several. Serves the command and
// both events.
template <class M>
std::string SubjectTag(const M& message) {
  const int named =
      !message.cycle_id().empty() + !message.observation_id().empty() + !message.reflection_id().empty();
  if (named != 1) return "";
  if (!message.cycle_id().empty()) return Tag("cycle", message.cycle_id());
  if (!message.observation_id().empty()) return Tag("observation", message.observation_id());
  return Tag("reflection", message.reflection_id());
}

template <class From, class To>
void CopySubject(const From& from, To& to) {
  to.set_cycle_id(from.cycle_id());
  to.set_observation_id(from.observation_id());
  to.set_reflection_id(from.reflection_id());
  to.set_purpose(from.purpose());
}

}  // namespace

void ConsentToUse::Model::Apply(const eventstore::EventView& event) {
  event_ids.insert(event.Id());
  if (const auto cycle = As<v1::CycleStarted>(event)) {
    owner_ids.insert(cycle->member_ids().begin(), cycle->member_ids().end());
    formative = cycle->formative();
  } else if (const auto observation = As<v1::ObservationRecorded>(event)) {
    // An observation made for a cycle bears the cycle's tag too: the cycle's owners are its members.
    if (owner_ids.empty()) owner_ids.insert(observation->observed_id());
    formative = formative || observation->formative();
  } else if (const auto reflection = As<v1::ReflectionWritten>(event)) {
    owner_ids.insert(reflection->teacher_id());
    formative = reflection->formative();
  } else if (const auto consent = As<v1::ConsentGiven>(event)) {
    consents.push_back(*consent);
  } else if (const auto withdrawn = As<v1::ConsentWithdrawn>(event)) {
    std::erase_if(consents, [&](const v1::ConsentGiven& given) {
      return given.consent_id() == withdrawn->consent_id();
    });
  }
}

eventstore::Query ConsentToUse::Reads(const Command& command, const Model&) {
  const std::string subject = SubjectTag(command);
  if (subject.empty()) return eventstore::Query::Nothing();
  return {{eventstore::QueryItem{{}, {subject}}}};
}

absl::StatusOr<Events> ConsentToUse::Decide(const Model& model, const Command& command, const Given& given) {
  if (given.actor_teacher_id != command.teacher_id()) return runtime::Forbid("NOT_YOURS");
  const std::string subject = SubjectTag(command);
  if (subject.empty()) return runtime::Invalid("cycle_id", "CONSENT_SUBJECT_EXPECTED");
  if (!model.owner_ids.contains(command.teacher_id())) return runtime::Forbid("NOT_YOURS");
  if (!model.formative) return runtime::Refuse("NOT_FORMATIVE");
  for (int i = 0; i < command.event_ids_size(); ++i) {
    if (!model.event_ids.contains(command.event_ids(i))) {
      return runtime::Missing(fmt::format("event_ids[{}]", i), "UNKNOWN_EVENT");
    }
  }
  const std::vector<std::string> wanted(command.event_ids().begin(), command.event_ids().end());
  for (const v1::ConsentGiven& consent : model.consents) {
    const std::vector<std::string> held(consent.event_ids().begin(), consent.event_ids().end());
    const bool covered = held.empty() || held == wanted;
    if (consent.teacher_id() == command.teacher_id() && consent.purpose() == command.purpose() && covered) {
      return runtime::Duplicate("CONSENT_ALREADY_GIVEN");
    }
  }
  v1::ConsentGiven consent;
  consent.set_consent_id(given.new_id());
  consent.set_teacher_id(command.teacher_id());
  CopySubject(command, consent);
  *consent.mutable_event_ids() = command.event_ids();
  return Events{
      MakeEvent(consent, given.today,
                {Tag("consent", consent.consent_id()), Tag("teacher", command.teacher_id()), subject})};
}

void WithdrawConsent::Model::Apply(const eventstore::EventView& event) {
  if (const auto given = As<v1::ConsentGiven>(event)) consent = *given;
  if (As<v1::ConsentWithdrawn>(event)) withdrawn = true;
}

eventstore::Query WithdrawConsent::Reads(const Command& command, const Model&) {
  return {{runtime::Of<v1::ConsentGiven, v1::ConsentWithdrawn>({Tag("consent", command.consent_id())})}};
}

absl::StatusOr<Events> WithdrawConsent::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  if (given.actor_teacher_id != model.consent.teacher_id()) return runtime::Forbid("NOT_YOURS");
  if (model.withdrawn) return runtime::Refuse("CONSENT_ALREADY_WITHDRAWN");
  v1::ConsentWithdrawn withdrawn;
  withdrawn.set_consent_id(command.consent_id());
  withdrawn.set_teacher_id(model.consent.teacher_id());
  CopySubject(model.consent, withdrawn);
  return Events{MakeEvent(withdrawn, given.today,
                          {Tag("consent", command.consent_id()), Tag("teacher", model.consent.teacher_id()),
                           SubjectTag(model.consent)})};
}

}  // namespace qinglan::lessonstudy
