// Debian's abseil is built with its own string_view, which is never std::string_view. This is the one place
// that converts; our code uses std::string_view, and fmt where a string is put together.
#pragma once

#include <absl/strings/string_view.h>

#include <string>
#include <string_view>

namespace qinglan {

inline absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view Std(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace qinglan
