// A tree that grows: the roots of its largest complete subtrees, which is all that the next leaf needs.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>

#include <array>
#include <cstdint>

#include "eventstore/transparency/hash.h"
#include "eventstore/transparency/node_source.h"

namespace qinglan::eventstore::transparency {

// A value: a copy is a tree that grows on its own (2 KiB). Not thread-safe.
class Frontier {
 public:
  // Takes a hash of tier 1 or above, to be stored: `index` counts the tier from 0.
  using Keep = absl::FunctionRef<void(int tier, uint64_t index, const Hash& hash)>;

  // The tree of the source's first `size` leaves. Reads at most one tile a tier: up to 255 leaves. Errors:
  // the source's.
  [[nodiscard]] static absl::StatusOr<Frontier> Load(const NodeSource& source, uint64_t size);

  uint64_t size() const { return size_; }  // leaves

  // One node is hashed for a leaf, on the average; what completes a tile is handed to `keep`.
  void Add(const Hash& leaf, Hasher& hasher, Keep keep);

  // Hashes at most as many nodes as the size has digits in base two.
  Hash Root(Hasher& hasher) const;

 private:
  uint64_t size_ = 0;
  // Where the size has bit l, the root of the 2^l leaves that this bit stands for; elsewhere of no meaning.
  std::array<Hash, kTreeLevelsMax> roots_;
};

}  // namespace qinglan::eventstore::transparency
