// How many hashes a proof has, from what it is about: what came from elsewhere can be told from one at no
// cost.
#pragma once

#include <cstddef>

#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore::transparency {

// 0 for a place or a span that cannot be.
size_t InclusionHashes(LeafPlace place);
size_t ConsistencyHashes(TreeSpan span);

}  // namespace qinglan::eventstore::transparency
