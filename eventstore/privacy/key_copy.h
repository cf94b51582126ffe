// Copies the files of keys while the process that has them open goes on making and destroying keys.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

namespace qinglan::eventstore::privacy {

struct CopiedKeys {
  uint64_t files = 0;
  uint64_t keys = 0;    // versions of them
  uint64_t erased = 0;  // subjects whose key was destroyed
};

// Makes `to`, for its owner only, from the key files in `from`, which is only read: every key that was given
// away before the call is in it, or that it was destroyed. So whoever copies a log first and then its keys
// has the key of all that is sealed in the copy. What lies beside the key files, be it the master key, is
// left out. The directory bears the name once all is in it and on stable storage; until then it is
// "<to>.<six letters>", which a process that is killed leaves behind. FAILED_PRECONDITION when
// something is there already; NOT_FOUND when there is no `from`; DATA_LOSS with file and offset for damage;
// UNAVAILABLE when the disk refuses.
[[nodiscard]] absl::StatusOr<CopiedKeys> CopyKeyFiles(const std::string& from, const std::string& to);

}  // namespace qinglan::eventstore::privacy
