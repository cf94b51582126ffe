// Credit hours given and taken by decision. Pure decisions (see services/runtime/decision.h).
#pragma once

#include <map>
#include <string>

#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::training {

// One teacher's awards, by event id.
struct Awards {
  struct Award {
    v1::CreditHoursAwarded awarded;
    bool withdrawn = false;
  };
  std::map<std::string, Award> awards;

  void Apply(const eventstore::EventView& event);
  static eventstore::QueryItem Item(const std::string& teacher_id);
};

struct AwardCreditHours {
  using Command = v1::AwardCreditHoursRequest;
  using Answer = v1::AwardCreditHoursResponse;
  using Model = Awards;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawCreditHours {
  using Command = v1::WithdrawCreditHoursRequest;
  using Answer = v1::WithdrawCreditHoursResponse;
  using Model = Awards;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
