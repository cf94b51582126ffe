// What the two of a pairing do together: each side's own log, and the goals. Pure; errors are named at each
// rpc in mentoring_service.proto.
#pragma once

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/mentoring/pairing/pairing_model.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

struct LogContact {
  using Command = v1::LogContactRequest;
  using Answer = v1::LogContactResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawContact {
  using Command = v1::WithdrawContactRequest;
  using Answer = v1::WithdrawContactResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct SetGoal {
  using Command = v1::SetGoalRequest;
  using Answer = v1::SetGoalResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AchieveGoal {
  using Command = v1::AchieveGoalRequest;
  using Answer = v1::AchieveGoalResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::mentoring
