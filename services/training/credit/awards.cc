#include "services/training/credit/awards.h"

#include "services/training/model/session.h"

namespace qinglan::training {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

void Awards::Apply(const eventstore::EventView& event) {
  if (const auto awarded = As<v1::CreditHoursAwarded>(event)) {
    awards[event.Id()].awarded = *awarded;
  } else if (const auto withdrawn = As<v1::CreditHoursWithdrawn>(event)) {
    awards[withdrawn->award_event_id()].withdrawn = true;
  }
}

eventstore::QueryItem Awards::Item(const std::string& teacher_id) {
  return runtime::Of<v1::CreditHoursAwarded, v1::CreditHoursWithdrawn>({runtime::Tag("teacher", teacher_id)});
}

eventstore::Query AwardCreditHours::Reads(const Command& command, const Model&) {
  return {{Awards::Item(command.teacher_id())}};
}

absl::StatusOr<Events> AwardCreditHours::Decide(const Model& model, const Command& command,
                                                const runtime::Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return runtime::Refuse("OWN_HOURS");
  const absl::CivilDay earned = runtime::Day(command.earned_on());
  if (earned > given.today) return runtime::Invalid("earned_on", "DATE_IN_FUTURE");
  for (const auto& [event_id, award] : model.awards) {
    if (!award.withdrawn && award.awarded.title() == command.title() &&
        award.awarded.earned_on() == command.earned_on()) {
      return runtime::Duplicate("HOURS_AWARDED_ALREADY", {{"event_id", event_id}});
    }
  }
  v1::CreditHoursAwarded awarded;
  awarded.set_teacher_id(command.teacher_id());
  awarded.set_org_id(command.org_id());
  awarded.set_title(command.title());
  awarded.set_level(command.level());
  awarded.set_direction(command.direction());
  awarded.set_credit_tenths(command.credit_tenths());
  awarded.set_earned_on(command.earned_on());
  awarded.set_first_day(command.earned_on());
  awarded.set_reason(command.reason());
  awarded.set_evidence(command.evidence());
  return Events{
      MakeEvent(awarded, earned, TagsOf({{"teacher", command.teacher_id()}, {"org", command.org_id()}}))};
}

eventstore::Query WithdrawCreditHours::Reads(const Command& command, const Model&) {
  return {{Awards::Item(command.teacher_id())}};
}

absl::StatusOr<Events> WithdrawCreditHours::Decide(const Model& model, const Command& command,
                                                   const runtime::Given&) {
  const auto found = model.awards.find(command.award_event_id());
  if (found == model.awards.end()) return runtime::Refuse("AWARD_UNKNOWN");
  if (found->second.withdrawn) return runtime::Refuse("AWARD_WITHDRAWN");
  const v1::CreditHoursAwarded& awarded = found->second.awarded;
  v1::CreditHoursWithdrawn withdrawn;
  withdrawn.set_teacher_id(awarded.teacher_id());
  withdrawn.set_org_id(awarded.org_id());
  withdrawn.set_session_id(awarded.session_id());
  withdrawn.set_programme_id(awarded.programme_id());
  withdrawn.set_award_event_id(command.award_event_id());
  withdrawn.set_credit_tenths(awarded.credit_tenths());
  withdrawn.set_earned_on(awarded.earned_on());
  withdrawn.set_cause(v1::CREDIT_WITHDRAWAL_CAUSE_DECISION);
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, runtime::Day(awarded.earned_on()),
                          TagsOf({{"teacher", awarded.teacher_id()},
                                  {"org", awarded.org_id()},
                                  {"session", awarded.session_id()},
                                  {"programme", awarded.programme_id()}}))};
}

}  // namespace qinglan::training
