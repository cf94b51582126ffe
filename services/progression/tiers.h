// Decisions about tiers: recorded, withdrawn.
#pragma once

#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::progression {

// What the log says of one teacher's service, tiers and bars: the part of the dossier that a decision needs,
// by the same fold as the portfolio's.
struct TierModel {
  void Apply(const eventstore::EventView& event);
  static eventstore::Query Of(const std::string& teacher_id);

  dossier::v1::Dossier dossier;
};

struct RecordTierDecision {
  using Command = v1::RecordTierDecisionRequest;
  using Answer = v1::RecordTierDecisionResponse;
  using Model = TierModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawTierDecision {
  using Command = v1::WithdrawTierDecisionRequest;
  using Answer = v1::WithdrawTierDecisionResponse;
  using Model = TierModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::progression
