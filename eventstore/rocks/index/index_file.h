// The sorted file in which a part of the index goes to disk, and the note of how far the index on disk
// reaches.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/index/memory_index.h"

namespace qinglan::eventstore::rocks {

// Puts the postings of `memory` into the index on disk, together with the note that it now reaches to `end`:
// both or neither. On stable storage when it returns, or soon (a crash before then loses both, and opening
// the store derives them again). RESOURCE_EXHAUSTED when the disk is full.
absl::Status WriteIndexFile(Database& database, const MemoryIndex& memory, Position end);

// How far the index on disk reaches: it has each posting up to here.
absl::StatusOr<Position> ReadIndexedUpTo(const Database& database,
                                         const rocksdb::Snapshot* snapshot = nullptr);

// What a process left behind that ended while it was writing.
absl::Status RemoveUnfinishedIndexFiles(const Database& database);

}  // namespace qinglan::eventstore::rocks
