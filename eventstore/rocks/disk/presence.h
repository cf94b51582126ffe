// Whether there is a store, and whether another has it open: told apart from not being let look.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace rocksdb {
class Status;
}

namespace qinglan::eventstore {

// Whether there is a store in the directory. NOT_FOUND when there is none; UNAVAILABLE when that cannot be
// told, such as without the permission to look.
absl::Status FindStore(const std::string& directory);

namespace rocks {

// What became of taking a store's lock, as ours: FAILED_PRECONDITION when somebody holds it, else as
// FromRocks(): the lock's file may be another user's, or its file system has no locks.
absl::Status FromLocking(const rocksdb::Status& status, const std::string& directory);

}  // namespace rocks
}  // namespace qinglan::eventstore
