// 课题: proposed -> approved -> concluded, with mid-term inspections between; terminated from either of the
// first two. Pure; the contract is in services/runtime/decision.h, the errors in research_service.proto.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "qinglan/research/v1/research_service.pb.h"
#include "services/research/posts.h"
#include "services/runtime/decision.h"

namespace qinglan::research {

// A project as its events have left it.
struct ProjectState {
  std::string project_id;
  std::string org_id;
  std::string title;
  v1::ProjectStatus status = v1::PROJECT_STATUS_UNSPECIFIED;
  scale::v1::Level level = scale::v1::LEVEL_UNSPECIFIED;
  std::vector<v1::ProjectMember> members;  // the host among them
  std::string proposed_on;
  std::string approved_on;
  std::string ended_on;
  std::string number;
  std::string number_key;
  std::string certificate_number;
  v1::MidtermOutcome midterm = v1::MIDTERM_OUTCOME_UNSPECIFIED;  // the last one
  v1::ConclusionGrade grade = v1::CONCLUSION_GRADE_UNSPECIFIED;
  eventstore::Position last_at;

  std::string HostTeacherId() const;  // the member of rank 1
};

// Folds projects, whichever it is shown.
struct Projects {
  std::map<std::string, ProjectState, std::less<>> by_id;

  void Apply(const eventstore::EventView& event);
  const ProjectState* Find(std::string_view project_id) const;
};

// Every event of projects that bears `tags`.
eventstore::QueryItem ProjectEvents(std::vector<std::string> tags);

struct ProposeProject {
  using Command = v1::ProposeProjectRequest;
  using Answer = v1::ProposeProjectResponse;
  using Model = Posts;  // the host's
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ApproveProject {
  using Command = v1::ApproveProjectRequest;
  using Answer = v1::ApproveProjectResponse;
  using Model = Projects;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RecordMidterm {
  using Command = v1::RecordMidtermRequest;
  using Answer = v1::RecordMidtermResponse;
  using Model = Projects;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ConcludeProject {
  using Command = v1::ConcludeProjectRequest;
  using Answer = v1::ConcludeProjectResponse;
  using Model = Projects;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct TerminateProject {
  using Command = v1::TerminateProjectRequest;
  using Answer = v1::TerminateProjectResponse;
  using Model = Projects;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ChangeMembers {
  using Command = v1::ChangeMembersRequest;
  using Answer = v1::ChangeMembersResponse;
  using Model = Projects;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::research
