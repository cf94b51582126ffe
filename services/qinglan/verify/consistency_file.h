// A proof that one checkpoint's log continues another's, as a file: a line that says so, then a hash a line.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "eventstore/transparency/proof.h"

namespace qinglan {

std::string EncodeConsistency(const eventstore::transparency::Proof& proof);
// INVALID_ARGUMENT names the line that is wrong.
[[nodiscard]] absl::StatusOr<eventstore::transparency::Proof> DecodeConsistency(std::string_view text);

}  // namespace qinglan
