// Names become request ids: the same name, the same UUID (version 5, RFC 9562).
#pragma once

#include <string>
#include <string_view>

namespace qinglan::demo {

std::string RequestIdOf(std::string_view name);

}  // namespace qinglan::demo
