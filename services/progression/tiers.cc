#include "services/progression/tiers.h"

#include <algorithm>
#include <string>

#include "eventstore/check.h"
#include "projections/dossier/fold.h"
#include "projections/progression/facts.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"

namespace qinglan::progression {
namespace {

using runtime::Day;
using runtime::Duplicate;
using runtime::Invalid;
using runtime::Refuse;
using runtime::Tag;

std::string TierName(scale::v1::Tier tier) { return scale::v1::Tier_Name(tier); }

absl::Status CheckShape(const v1::RecordTierDecisionRequest& command, const runtime::Given& given) {
  const absl::CivilDay decided_on = Day(command.decided_on());
  if (decided_on > given.today) return Invalid("decided_on", "DATE_IN_FUTURE");
  if (!command.valid_until().empty() && Day(command.valid_until()) < decided_on) {
    return Invalid("valid_until", "END_BEFORE_START");
  }
  if (command.exceptional() && command.reason().empty()) return Invalid("reason", "REASON_MISSING");
  return absl::OkStatus();
}

absl::Status CheckHistory(const v1::RecordTierDecisionRequest& command, const dossier::v1::Dossier& dossier) {
  for (const dossier::v1::TierSpan& span : dossier.tiers()) {
    if (!span.withdrawn_by().empty()) continue;
    const bool same = span.tier() == command.tier() && span.since() == command.decided_on() &&
                      span.document_no() == command.document_no();
    if (same) return Duplicate("ALREADY_DONE");
    // ISO dates compare as text.
    if (span.since() >= command.decided_on() && !command.exceptional()) {
      return Refuse("DECIDED_LATER_ALREADY", {{"on", span.since()}});
    }
  }
  return absl::OkStatus();
}

// The next tier up, or the same again for another term; anything else is an exception with a reason.
absl::Status CheckStep(const v1::RecordTierDecisionRequest& command, const HeldTier& held) {
  if (command.exceptional()) return absl::OkStatus();
  if (command.tier() == held.tier && held.decision != nullptr) {
    if (!held.until.has_value()) return Refuse("TIER_HELD_ALREADY", {{"tier", TierName(held.tier)}});
    return absl::OkStatus();
  }
  if (static_cast<int>(command.tier()) != static_cast<int>(held.tier) + 1) {
    return Refuse("NOT_NEXT_TIER", {{"held", TierName(held.tier)}, {"tier", TierName(command.tier())}});
  }
  return absl::OkStatus();
}

// A bar keeps nobody from being put back to a lower tier.
absl::Status CheckBars(const v1::RecordTierDecisionRequest& command, const Facts& facts) {
  if (command.tier() < facts.held->tier) return absl::OkStatus();
  for (const dossier::v1::Bar* bar : facts.bars) {
    if (!bar->veto() && !bar->covers_promotion()) continue;
    return Refuse("BARRED", {{"bar_id", bar->bar_id()},
                             {"from", bar->from()},
                             {"until", bar->to().empty() ? "-" : bar->to()},
                             {"document", bar->document_no()}});
  }
  return absl::OkStatus();
}

}  // namespace

void TierModel::Apply(const eventstore::EventView& event) {
  QL_CHECK(dossier::FoldEvent(event, eventstore::TagValue(event, "teacher"), dossier).ok(),
           "a decision's events parse");  // it reads through a CheckedStore, as all models do
}

eventstore::Query TierModel::Of(const std::string& teacher_id) {
  namespace reg = registry::v1;
  namespace app = appraisal::v1;
  return eventstore::Query{
      {runtime::Of<v1::TierDecided, v1::TierDecisionWithdrawn, app::BarImposed, app::BarLifted,
                   reg::TeacherRegistered, reg::TeachingStartCorrected, reg::LeaveStarted,
                   reg::TeacherReturned, reg::TeacherDeparted, reg::TeacherReinstated>(
          {Tag("teacher", teacher_id)})}};
}

eventstore::Query RecordTierDecision::Reads(const Command& command, const Model&) {
  return TierModel::Of(command.teacher_id());
}

absl::StatusOr<runtime::Events> RecordTierDecision::Decide(const Model& model, const Command& command,
                                                           const runtime::Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return Refuse("OWN_TIER");
  QL_RETURN_IF_ERROR(CheckShape(command, given));
  const absl::CivilDay decided_on = Day(command.decided_on());
  const Facts facts(model.dossier, decided_on);
  if (!facts.held.has_value()) return Refuse("NOT_TEACHING_YET");
  if (!facts.in_service) return Refuse("NOT_SERVING");
  QL_RETURN_IF_ERROR(CheckHistory(command, model.dossier));
  QL_RETURN_IF_ERROR(CheckBars(command, facts));
  QL_RETURN_IF_ERROR(CheckStep(command, *facts.held));

  v1::TierDecided decided;
  decided.set_teacher_id(command.teacher_id());
  decided.set_tier(command.tier());
  decided.set_tier_before(facts.held->tier);
  decided.set_decided_on(command.decided_on());
  decided.set_authority(command.authority());
  decided.set_document_no(command.document_no());
  decided.set_valid_until(command.valid_until());
  decided.set_exceptional(command.exceptional());
  decided.set_reason(command.reason());
  return runtime::Events{runtime::MakeEvent(decided, decided_on, {Tag("teacher", command.teacher_id())})};
}

eventstore::Query WithdrawTierDecision::Reads(const Command& command, const Model&) {
  return TierModel::Of(command.teacher_id());
}

absl::StatusOr<runtime::Events> WithdrawTierDecision::Decide(const Model& model, const Command& command,
                                                             const runtime::Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return Refuse("OWN_TIER");
  const auto& tiers = model.dossier.tiers();
  const auto span = std::find_if(tiers.begin(), tiers.end(), [&](const dossier::v1::TierSpan& other) {
    return other.event_id() == command.decision_event_id();
  });
  if (span == tiers.end()) return runtime::Missing("decision_event_id", "UNKNOWN_ID");
  if (!span->withdrawn_by().empty()) return Duplicate("ALREADY_DONE");
  const absl::CivilDay withdrawn_on = Day(command.withdrawn_on());
  if (withdrawn_on > given.today) return Invalid("withdrawn_on", "DATE_IN_FUTURE");
  if (withdrawn_on < Day(span->since())) return Invalid("withdrawn_on", "WITHDRAWN_BEFORE_DECISION");

  v1::TierDecisionWithdrawn withdrawn;
  withdrawn.set_teacher_id(command.teacher_id());
  withdrawn.set_decision_event_id(command.decision_event_id());
  withdrawn.set_ground(command.ground());
  withdrawn.set_authority(command.authority());
  withdrawn.set_document_no(command.document_no());
  withdrawn.set_reason(command.reason());
  return runtime::Events{runtime::MakeEvent(withdrawn, withdrawn_on, {Tag("teacher", command.teacher_id())})};
}

}  // namespace qinglan::progression
