// Which things a request names: the fields that bear `refers_to`, and those that an access rule calls its
// subject.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::runtime {

struct Reference {
  std::string field;  // its path in the request: "records[3].teacher_id"
  std::string kind;   // "teacher"
  std::string id;     // never empty

  std::string Tag() const { return kind + ":" + id; }
};

// Every reference that the request makes, each id of each kind once.
std::vector<Reference> ReferencesOf(const google::protobuf::Message& request);

// The paths that a grant names: "org_id teacher_id" is two.
std::vector<std::string> SubjectPaths(const rules::v1::Grant& grant);

// The references at `path` ("teacher_id", "records.teacher_id"; lists are walked through).
std::vector<Reference> ReferencesAt(const google::protobuf::Message& request, std::string_view path);

// FAILED_PRECONDITION when the grant names no role or no scope, or a subject that is no reference in such a
// request.
absl::Status CheckGrant(const rules::v1::Grant& grant, const google::protobuf::Descriptor* request);

}  // namespace qinglan::runtime
