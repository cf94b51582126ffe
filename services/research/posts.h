// Where a teacher serves or has served: who files something of their own files it there, and so does not
// choose who is to judge it.
#pragma once

#include <set>
#include <string>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::research {

// Folds one teacher's posts and groups.
struct Posts {
  std::set<std::string, std::less<>> org_ids;

  void Apply(const eventstore::EventView& event) {
    if (const auto post = runtime::As<registry::v1::PostAssigned>(event)) org_ids.insert(post->org_id());
    if (const auto moved = runtime::As<registry::v1::TeacherTransferred>(event))
      org_ids.insert(moved->to_org_id());
    if (const auto joined = runtime::As<registry::v1::GroupJoined>(event)) org_ids.insert(joined->org_id());
  }

  static eventstore::QueryItem Reads(std::string_view teacher_id) {
    return runtime::Of<registry::v1::PostAssigned, registry::v1::TeacherTransferred,
                       registry::v1::GroupJoined>({runtime::Tag("teacher", teacher_id)});
  }

  // FAILED_PRECONDITION NO_POST_THERE when the caller is this teacher and never served at the organisation.
  // An office that acts for a teacher answers for that organisation itself.
  absl::Status CheckFiling(std::string_view teacher_id, const std::string& org_id,
                           const runtime::Given& given) const {
    if (given.actor_teacher_id != teacher_id || org_ids.contains(org_id)) return absl::OkStatus();
    return runtime::Refuse("NO_POST_THERE", {{"organisation", org_id}});
  }
};

}  // namespace qinglan::research
