// Sessions: planned, moved, called off. Pure decisions (see services/runtime/decision.h).
#pragma once

#include "services/training/model/calendar.h"
#include "services/training/model/outcome.h"
#include "services/training/plan/programmes.h"

namespace qinglan::training {

// So many teachers' calendars fit one append condition.
inline constexpr size_t kTeachersMovedMax = 60;

struct ScheduleSession {
  using Command = v1::ScheduleSessionRequest;
  using Answer = v1::ScheduleSessionResponse;
  using Model = Programme;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// Those enrolled move along. Their calendars are read when the half-days change, which is once the session is
// known.
struct RescheduleSession {
  using Command = v1::RescheduleSessionRequest;
  using Answer = v1::RescheduleSessionResponse;
  struct Model {
    Session session;
    Programme programme;
    Calendars calendars;
    MarkBook marks;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CancelSession {
  using Command = v1::CancelSessionRequest;
  using Answer = v1::CancelSessionResponse;
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
