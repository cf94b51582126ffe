// The rules that stand beside request fields in the protos (qinglan.rules.v1.field), enforced for every rpc.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <string_view>

#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::runtime {

// INVALID_ARGUMENT INVALID_REQUEST with one violation for each field that breaks its rule (at most 20), else
// OK.
absl::Status CheckFieldRules(const google::protobuf::Message& request);

// The reason in the message catalogue why `text` does not fit, or empty when it does.
std::string_view FormatViolation(rules::v1::Format format, std::string_view text);

}  // namespace qinglan::runtime
