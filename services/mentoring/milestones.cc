#include "services/mentoring/milestones.h"

namespace qinglan::mentoring {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

eventstore::Query MilestonesOf(const std::string& teacher_id) {
  return {{runtime::Of<v1::MilestoneReached, v1::MilestoneWithdrawn>({Tag("teacher", teacher_id)})}};
}

}  // namespace

void MilestonesModel::Apply(const eventstore::EventView& event) {
  if (const auto milestone = As<v1::MilestoneReached>(event)) reached[milestone->milestone()] = *milestone;
  if (const auto milestone = As<v1::MilestoneWithdrawn>(event)) reached.erase(milestone->milestone());
}

eventstore::Query ConfirmMilestone::Reads(const Command& command, const Model&) {
  return MilestonesOf(command.teacher_id());
}

absl::StatusOr<Events> ConfirmMilestone::Decide(const Model& model, const Command& command,
                                                const Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return runtime::Forbid("CONFIRMED_BY_ANOTHER_ONLY");
  if (runtime::Day(command.reached_on()) > given.today) return Invalid("reached_on", "DATE_IN_FUTURE");
  for (const auto& [milestone, other] : model.reached) {
    if (milestone == command.milestone()) {
      return Refuse("MILESTONE_ALREADY_REACHED", {{"date", other.reached_on()}});
    }
    const bool in_order = milestone < command.milestone() ? other.reached_on() <= command.reached_on()
                                                          : other.reached_on() >= command.reached_on();
    if (!in_order) return Refuse("MILESTONE_OUT_OF_ORDER", {{"date", other.reached_on()}});
  }
  v1::MilestoneReached reached;
  reached.set_teacher_id(command.teacher_id());
  reached.set_milestone(command.milestone());
  reached.set_reached_on(command.reached_on());
  reached.set_org_id(command.org_id());
  reached.set_basis(command.basis());
  reached.set_basis_uri(command.basis_uri());
  return Events{MakeEvent(reached, runtime::Day(command.reached_on()),
                          {Tag("teacher", command.teacher_id()), Tag("org", command.org_id())})};
}

eventstore::Query WithdrawMilestone::Reads(const Command& command, const Model&) {
  return MilestonesOf(command.teacher_id());
}

absl::StatusOr<Events> WithdrawMilestone::Decide(const Model& model, const Command& command,
                                                 const Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return runtime::Forbid("CONFIRMED_BY_ANOTHER_ONLY");
  const auto known = model.reached.find(command.milestone());
  if (known == model.reached.end()) return Refuse("MILESTONE_NOT_REACHED");
  v1::MilestoneWithdrawn withdrawn;
  withdrawn.set_teacher_id(command.teacher_id());
  withdrawn.set_milestone(command.milestone());
  withdrawn.set_reached_on(known->second.reached_on());
  withdrawn.set_org_id(known->second.org_id());
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, given.today,
                          {Tag("teacher", command.teacher_id()), Tag("org", withdrawn.org_id())})};
}

}  // namespace qinglan::mentoring
