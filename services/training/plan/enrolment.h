// Who takes part in a session. Pure decisions (see services/runtime/decision.h). A full session, overlapping
// half-days and a second enrolment are met by reading what they depend on, which the append then checks
// again.
#pragma once

#include "services/training/model/calendar.h"
#include "services/training/model/outcome.h"

#include "qinglan/training/v1/training_service.pb.h"

namespace qinglan::training {

// FAILED_PRECONDITION SESSION_FULL when there is no room for `more`.
absl::Status CheckRoom(const Session& session, size_t more);

eventstore::NewEvent Enrolled(const Session& session, const std::string& teacher_id, bool walk_in,
                              const runtime::Given& given);

struct EnrolTeacher {
  using Command = v1::EnrolTeacherRequest;
  using Answer = v1::EnrolTeacherResponse;
  struct Model {
    Session session;
    Calendars calendars;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct EnrolTeachers {
  using Command = v1::EnrolTeachersRequest;
  using Answer = v1::EnrolTeachersResponse;
  using Model = EnrolTeacher::Model;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawEnrolment {
  using Command = v1::WithdrawEnrolmentRequest;
  using Answer = v1::WithdrawEnrolmentResponse;
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
