// absl::Status to grpc::Status and back, the ErrorDetail in the trailer on the way.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace qinglan::runtime {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace qinglan::runtime
