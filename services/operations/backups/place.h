// Where a server's backups may go.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace qinglan::operations {

// Makes `directory` when it is not there, and sees that backups of `data` can be written to it. Errors:
//   INVALID_ARGUMENT  one of the two is in the other: what loses the data would lose their backups, too
//   NOT_FOUND, UNAVAILABLE, RESOURCE_EXHAUSTED  it cannot be made or written to
absl::Status PreparePlace(const std::string& directory, const std::string& data);

}  // namespace qinglan::operations
