// The 135 plan 135成长计划: 1年入门, 3年达标, 5年骨干, each confirmed by somebody else. Pure; errors are
// named at each rpc in mentoring_service.proto.
#pragma once

#include <map>

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

// The milestones that one teacher has reached.
struct MilestonesModel {
  std::map<v1::Milestone, v1::MilestoneReached> reached;

  void Apply(const eventstore::EventView& event);
};

struct ConfirmMilestone {
  using Command = v1::ConfirmMilestoneRequest;
  using Answer = v1::ConfirmMilestoneResponse;
  using Model = MilestonesModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawMilestone {
  using Command = v1::WithdrawMilestoneRequest;
  using Answer = v1::WithdrawMilestoneResponse;
  using Model = MilestonesModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::mentoring
