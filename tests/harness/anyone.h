// A caller whom no rule keeps out, and requests of any kind as he sends them. Thread-compatible.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <memory>

#include "services/runtime/access/access.h"
#include "services/runtime/service_table.h"

namespace qinglan::tests {

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type);

// As if everybody belonged everywhere.
runtime::Placement Everywhere();

// What the dispatcher does after the token, but that nobody is denied: what one role may not send, another
// may. Things that do not exist are found before, as in life.
absl::Status SendAsAnyone(runtime::Access& access, const runtime::Method& method,
                          const google::protobuf::Message& request, const runtime::Principal& as,
                          google::protobuf::Message& response);

}  // namespace qinglan::tests
