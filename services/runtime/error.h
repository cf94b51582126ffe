// Errors with a reason for programs and a sentence for people, inside absl::Status.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "qinglan/error/v1/error.pb.h"

namespace qinglan::runtime {

// A status that carries `detail`; its message is the reason, until the edge puts the sentence of the caller's
// language in.
absl::Status MakeError(absl::StatusCode code, const error::v1::ErrorDetail& detail);

std::optional<error::v1::ErrorDetail> DetailOf(const absl::Status& status);

// The same status, detail included, with other words.
absl::Status WithMessage(const absl::Status& status, const std::string& message);

// The same bytes for the same content, map entries included.
std::string DeterministicBytes(const google::protobuf::Message& message);

}  // namespace qinglan::runtime
