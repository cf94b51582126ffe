// Folders that only their owner may enter: for what is not sealed, and for keys.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace qinglan::eventstore::privacy {

// Makes the folder with mode 0700 from its first instant; missing parents get the mode that the process gives
// any. A folder that exists keeps its mode. Not synced (backups, which need that, have
// rocks::MakeDirectories()). UNAVAILABLE, with the path, when it cannot be made or something else has its
// name. Thread-safe.
[[nodiscard]] absl::Status MakePrivateFolder(const std::string& path);

// Says so in the log when others than its owner may enter the folder, and what closes it. Nothing more: its
// operator may have wanted it so.
void WarnOfOpenFolder(const std::string& path);

}  // namespace qinglan::eventstore::privacy
