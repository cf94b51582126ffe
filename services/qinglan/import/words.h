// The words of offices' sheets, as data (words.json): headers, kinds, grades.
#pragma once

#include <nlohmann/json.hpp>

namespace qinglan::importing {

// Parsed once; thread-safe.
const nlohmann::json& Words();

}  // namespace qinglan::importing
