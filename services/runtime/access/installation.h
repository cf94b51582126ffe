// Access to services of the installation itself: their rules ask for a role held for the whole installation,
// so the token alone decides, and nothing is read from the log (which they may be serving).
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/descriptor.h>

#include "services/runtime/call.h"

namespace qinglan::runtime {

// FAILED_PRECONDITION, naming the rpcs, when one has no access rule or a rule with another scope than
// SCOPE_INSTALLATION.
absl::Status CheckInstallationRules(const google::protobuf::ServiceDescriptor& service);

// PERMISSION_DENIED NOT_ALLOWED when no grant of the rpc's rule lets the caller in.
absl::Status AuthorizeInstallation(const Principal& principal,
                                   const google::protobuf::MethodDescriptor& method);

}  // namespace qinglan::runtime
