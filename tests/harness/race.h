// Writers at once: what only one of them may have, only one may win.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <string>
#include <vector>

namespace qinglan::tests {

// Runs all of these at the same moment, each on a thread of its own, and returns how each of them ended.
std::vector<absl::Status> Race(const std::vector<std::function<absl::Status()>>& runners);

// The reason of the only one that failed. When not exactly one failed, words that say so.
std::string LoserOf(const std::vector<absl::Status>& ends);

}  // namespace qinglan::tests
