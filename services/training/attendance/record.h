// Who was there, half-day by half-day. Pure decision (see services/runtime/decision.h).
#pragma once

#include "qinglan/training/v1/training_service.pb.h"
#include "services/training/model/calendar.h"
#include "services/training/model/outcome.h"

namespace qinglan::training {

// Marks of other teachers of the same half-day are none of its business, so that many can sign in at once.
// Only walk-ins ask who else is enrolled.
struct RecordAttendance {
  using Command = v1::RecordAttendanceRequest;
  using Answer = v1::RecordAttendanceResponse;
  struct Model {
    Session session;
    Calendars calendars;
    MarkBook marks;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
