// Merges everything that a store has written into its last form.
#pragma once

#include <absl/status/status.h>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

// Returns when nothing is on the disk twice and all of it is compressed as it will stay. The store may be in
// use meanwhile; it takes about as long as writing all of it anew. The errors of FromRocks().
absl::Status CompactWhole(const Database& database);

}  // namespace qinglan::eventstore::rocks
