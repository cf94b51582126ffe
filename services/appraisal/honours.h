// 荣誉: awarded, for a term or for good, and revoked.
// Pure; the contract is in services/runtime/decision.h, the errors in appraisal_service.proto.
#pragma once

#include <map>
#include <string>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "services/appraisal/bars.h"
#include "services/runtime/decision.h"

namespace qinglan::appraisal {

struct HonourState {
  v1::HonourAwarded awarded;
  bool revoked = false;
};

// Folds honours, and the bars that keep somebody from them.
struct Honours {
  std::map<std::string, HonourState, std::less<>> by_id;
  Bars bars;

  void Apply(const eventstore::EventView& event);
};

struct AwardHonour {
  using Command = v1::AwardHonourRequest;
  using Answer = v1::AwardHonourResponse;
  using Model = Honours;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RevokeHonour {
  using Command = v1::RevokeHonourRequest;
  using Answer = v1::RevokeHonourResponse;
  using Model = Honours;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::appraisal
