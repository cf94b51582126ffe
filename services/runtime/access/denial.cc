#include "services/runtime/access/denial.h"

#include <set>
#include <string>

#include "qinglan/rules/v1/rules.pb.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/decision.h"

namespace qinglan::runtime {

absl::Status NotAllowed(const google::protobuf::MethodDescriptor& method) {
  std::set<int> roles;  // each once
  for (const rules::v1::Grant& grant : method.options().GetExtension(rules::v1::access).grants())
    roles.insert(grant.roles().begin(), grant.roles().end());
  std::string names;
  for (const int role : roles) {
    if (!names.empty()) names += ", ";
    names += RoleName(static_cast<rules::v1::Role>(role));
  }
  return Forbid("NOT_ALLOWED", {{"roles", names}});
}

}  // namespace qinglan::runtime
