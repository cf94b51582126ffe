// Decisions about a teacher's life in service: posts, transfers, leaves, departure, groups. Pure; see
// services/runtime/decision.h.
#pragma once

#include "services/registry/teacher.h"

namespace qinglan::registry {

struct AssignPost {
  using Command = v1::AssignPostRequest;
  using Answer = v1::AssignPostResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct EndPost {
  using Command = v1::EndPostRequest;
  using Answer = v1::EndPostResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct TransferTeacher {
  using Command = v1::TransferTeacherRequest;
  using Answer = v1::TransferTeacherResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct StartLeave {
  using Command = v1::StartLeaveRequest;
  using Answer = v1::StartLeaveResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReturnFromLeave {
  using Command = v1::ReturnFromLeaveRequest;
  using Answer = v1::ReturnFromLeaveResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RecordDeparture {
  using Command = v1::RecordDepartureRequest;
  using Answer = v1::RecordDepartureResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReinstateTeacher {
  using Command = v1::ReinstateTeacherRequest;
  using Answer = v1::ReinstateTeacherResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct JoinGroup {
  using Command = v1::JoinGroupRequest;
  using Answer = v1::JoinGroupResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct LeaveGroup {
  using Command = v1::LeaveGroupRequest;
  using Answer = v1::LeaveGroupResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::registry
