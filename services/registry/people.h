// Decisions about who a teacher is. Pure; see services/runtime/decision.h.
#pragma once

#include "services/registry/teacher.h"

namespace qinglan::registry {

struct RegisterTeacher {
  using Command = v1::RegisterTeacherRequest;
  using Answer = v1::RegisterTeacherResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectIdentity {
  using Command = v1::CorrectIdentityRequest;
  using Answer = v1::CorrectIdentityResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectTeachingStart {
  using Command = v1::CorrectTeachingStartRequest;
  using Answer = v1::CorrectTeachingStartResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct LinkTeacher {
  using Command = v1::LinkTeacherRequest;
  using Answer = v1::LinkTeacherResponse;
  using Model = Member;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::registry
