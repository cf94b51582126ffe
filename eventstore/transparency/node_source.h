// Where the hashes come from that a tree is made of: few are stored, the others are computed from them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "eventstore/transparency/hash.h"

namespace qinglan::eventstore::transparency {

// Of tier 0 are the leaves' hashes, of tier k the roots of the complete subtrees of 256^k leaves. 256
// neighbours of a tier, from a multiple of 256 on, are a tile: the root of a full tile is a hash of the next
// tier. The hashes of tier 1 and above are stored, 32 bytes for 256 events; those of tier 0 are computed from
// the events whenever they are needed, at most a tile of them for each end of a proof.
inline constexpr int kTierLevels = 8;
inline constexpr size_t kTileHashes = size_t{1} << kTierLevels;
inline constexpr int kTiersMax = 64 / kTierLevels;
inline constexpr int kTreeLevelsMax = 64;

class NodeSource {
 public:
  virtual ~NodeSource() = default;

  // Fills `hashes` with the neighbours of the tier from `first` on, all of one tile. DATA_LOSS when one is
  // not there or damaged.
  [[nodiscard]] virtual absl::Status Read(int tier, uint64_t first, absl::Span<Hash> hashes) const = 0;
};

// The roots of parts of a tree of `size` leaves. Remembers the tiles that it read: two a tier for a proof.
// Not thread-safe; the source must outlive it.
class Subtrees {
 public:
  Subtrees(const NodeSource& source, uint64_t size) : source_(source), size_(size) {}

  // The root of the leaves `index` * 2^level and on, 2^level of them; all are in the tree.
  [[nodiscard]] absl::StatusOr<Hash> Complete(int level, uint64_t index);
  // The root of the leaves from `begin` to before `end`, where `begin` is a multiple of the least power of
  // two that is not less than their number.
  [[nodiscard]] absl::StatusOr<Hash> Range(uint64_t begin, uint64_t end);

  Hasher& hasher() { return hasher_; }

 private:
  absl::StatusOr<absl::Span<const Hash>> Tile(int tier, uint64_t tile);

  const NodeSource& source_;
  const uint64_t size_;
  Hasher hasher_;
  std::map<std::pair<int, uint64_t>, std::vector<Hash>> tiles_;
};

// The largest power of two that is less than `leaves`, which is at least 2: where RFC 6962 parts a tree.
uint64_t SplitOf(uint64_t leaves);

}  // namespace qinglan::eventstore::transparency
