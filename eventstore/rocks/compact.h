// Merges everything that a store has written into its last form.
#pragma once

#include <absl/status/status.h>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

// Returns when nothing is on the disk twice and all of it is compressed as it will stay, but for the newest
// postings, which are in memory alone (some 100,000 events' as a rule). The store may be in
// use meanwhile; it takes about as long as writing all of it anew. The errors of FromRocks().
absl::Status CompactWhole(const Database& database);

}  // namespace qinglan::eventstore::rocks
