#include "services/runtime/access/installation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "eventstore/text.h"
#include "services/runtime/access/denial.h"
#include "services/runtime/access/subject.h"

namespace qinglan::runtime {

absl::Status CheckInstallationRules(const google::protobuf::ServiceDescriptor& service) {
  std::string wrong;
  for (int i = 0; i < service.method_count(); ++i) {
    const auto* method = service.method(i);
    const auto& rule = method->options().GetExtension(rules::v1::access);
    if (rule.grants().empty()) wrong += fmt::format(" {}: no access rule;", method->full_name());
    for (const rules::v1::Grant& grant : rule.grants()) {
      const bool sound =
          grant.scope() == rules::v1::SCOPE_INSTALLATION && CheckGrant(grant, method->input_type()).ok();
      if (!sound) wrong += fmt::format(" {}: a grant that is not for the installation;", method->full_name());
    }
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("the services are not complete:" + wrong);
}

absl::Status AuthorizeInstallation(const Principal& principal,
                                   const google::protobuf::MethodDescriptor& method) {
  for (const rules::v1::Grant& grant : method.options().GetExtension(rules::v1::access).grants()) {
    if (grant.scope() != rules::v1::SCOPE_INSTALLATION) continue;
    for (const RoleAt& role : principal.roles) {
      const bool granted =
          std::find(grant.roles().begin(), grant.roles().end(), role.role) != grant.roles().end();
      if (granted && role.org_id.empty()) return absl::OkStatus();
    }
  }
  return NotAllowed(method);
}

}  // namespace qinglan::runtime
