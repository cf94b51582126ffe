// What a gRPC call says of itself before its request is looked at.
#pragma once

#include <grpcpp/server_context.h>

#include "services/runtime/dispatcher.h"

namespace qinglan::runtime {

Envelope EnvelopeOf(const grpc::ServerContextBase& context);

}  // namespace qinglan::runtime
