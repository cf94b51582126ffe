// A half-day's record put right, and all that followed from it. Pure decision (see
// services/runtime/decision.h).
#pragma once

#include "qinglan/training/v1/training_service.pb.h"
#include "services/training/model/outcome.h"

namespace qinglan::training {

struct CorrectAttendance {
  using Command = v1::CorrectAttendanceRequest;
  using Answer = v1::CorrectAttendanceResponse;
  struct Model {
    Session session;
    MarkBook marks;
    Concluded concluded;
    // Of each event that may be corrected: what it says of which half-day, and by which event it was
    // replaced.
    struct Said {
      std::optional<BlockKey> block;  // none: an assessment, which speaks of the half-days without a record
      std::string replaced_by;
    };
    std::map<std::string, Said> said;
    void Apply(const eventstore::EventView& event);
  };
  // Everything of this teacher in this session; no other teacher can change it.
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
