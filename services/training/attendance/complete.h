// A session's end: what it came to for each teacher. Pure decision (see services/runtime/decision.h).
#pragma once

#include "qinglan/training/v1/training_service.pb.h"
#include "services/training/model/outcome.h"

namespace qinglan::training {

// Three events a teacher at most (assessment, hours, bring-back duty) and one for the session: the most that
// a session can hold, 300 (ScheduleSessionRequest.capacity), so fits one commit of 1000.
struct CompleteSession {
  using Command = v1::CompleteSessionRequest;
  using Answer = v1::CompleteSessionResponse;
  struct Model {
    Session session;
    MarkBook marks;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
