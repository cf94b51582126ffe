// One teacher, folded from the registry's events: what decisions about people know, and what GetTeacher
// answers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/registry/organisations.h"
#include "services/runtime/decision.h"

namespace qinglan::registry {

struct Teacher {
  v1::GetTeacherResponse entry;
  std::set<std::string> external_digests;

  static eventstore::QueryItem Reads(const std::string& teacher_id);
  static eventstore::QueryItem ReadsDigest(const std::string& digest);
  void Apply(const eventstore::EventView& event);

  bool HasDeparted() const { return !entry.departed_on().empty(); }
  const v1::PostEntry* OpenPrimaryPost() const;
  const v1::LeaveEntry* OpenLeave() const;
  // TEACHER_DEPARTED when out of service.
  absl::Status MustBeInService() const;
  // TEACHER_DEPARTED, or BEFORE_TEACHING_START when the day is earlier than the first teaching day.
  absl::Status MustTeachOn(const std::string& day) const;
};

// A teacher and the organisations that a command about them names.
struct Member {
  Teacher teacher;
  Organisations organisations;

  void Apply(const eventstore::EventView& event) {
    teacher.Apply(event);
    organisations.Apply(event);
  }
};

}  // namespace qinglan::registry
