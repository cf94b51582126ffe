// Page tokens: what a list must know to go on, as text that callers pass back untouched.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::portfolio {

// The parts, none of which may hold a space.
std::string MakePageToken(const std::vector<std::string>& parts);

// INVALID_ARGUMENT PAGE_TOKEN, naming `field`, when the token was not made of so many parts.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ParsePageToken(std::string_view token, size_t parts,
                                                                      std::string_view field);

}  // namespace qinglan::portfolio
