// How a caller is told that an rpc is not for them. Thread-safe.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/descriptor.h>

namespace qinglan::runtime {

// PERMISSION_DENIED, with the roles of the rpc's access rule, as tokens name them; to hold one is not enough.
// Which of them, and for what place, the caller lacks is not said: that would tell of the thing that they may
// not see.
absl::Status NotAllowed(const google::protobuf::MethodDescriptor& method);

}  // namespace qinglan::runtime
