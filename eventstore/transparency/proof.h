// Proofs over a log's Merkle tree (RFC 6962, section 2.1): made from the hashes that a store has, checked
// with nothing but the proof.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstdint>
#include <vector>

#include "eventstore/transparency/hash.h"
#include "eventstore/transparency/node_source.h"

namespace qinglan::eventstore::transparency {

// Hashes from the leaf up; at most 64 for an inclusion, 65 for a consistency.
using Proof = std::vector<Hash>;

// A tree as it was when it had so many leaves.
struct TreeHead {
  uint64_t size = 0;
  Hash root;

  bool operator==(const TreeHead&) const = default;
};

// A leaf's place in a tree; `index` counts from 0 and is less than `size`.
struct LeafPlace {
  uint64_t index = 0;
  uint64_t size = 0;
};

// Two sizes of one tree, the earlier first.
struct TreeSpan {
  uint64_t from = 0;
  uint64_t to = 0;
};

// The source has the leaves of the tree asked for, and may have more. Errors: INVALID_ARGUMENT for an index
// or a size that cannot be, and the source's.
[[nodiscard]] absl::StatusOr<Hash> RootOf(const NodeSource& source, uint64_t size);
[[nodiscard]] absl::StatusOr<Proof> ProveInclusion(const NodeSource& source, LeafPlace place);
// Empty when the sizes are equal or the first is 0: there is nothing to prove.
[[nodiscard]] absl::StatusOr<Proof> ProveConsistency(const NodeSource& source, TreeSpan span);

// OK when a leaf with this hash is at `index` in the tree of this head. DATA_LOSS when the proof leads
// elsewhere, INVALID_ARGUMENT when it is none for such a place.
[[nodiscard]] absl::Status VerifyInclusion(const Hash& leaf, uint64_t index, const TreeHead& head,
                                           absl::Span<const Hash> proof);
// OK when the later tree begins with all the leaves of the earlier one. Errors as above.
[[nodiscard]] absl::Status VerifyConsistency(const TreeHead& earlier, const TreeHead& later,
                                             absl::Span<const Hash> proof);

}  // namespace qinglan::eventstore::transparency
