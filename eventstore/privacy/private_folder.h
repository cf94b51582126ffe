// Folders that only their owner may enter: for what is not sealed, and for keys.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace qinglan::eventstore::privacy {

// Makes the folder with mode 0700 from the beginning, and what is missing above it as the process makes any.
// One that is there already stays as it is, whoever may read it: its owner may want that. UNAVAILABLE, with
// the path, when it cannot be made or something else has its name.
[[nodiscard]] absl::Status MakePrivateFolder(const std::string& path);

}  // namespace qinglan::eventstore::privacy
