#include "eventstore/transparency/node_source.h"

#include <algorithm>
#include <array>
#include <bit>

#include "eventstore/check.h"

namespace qinglan::eventstore::transparency {

uint64_t SplitOf(uint64_t leaves) { return std::bit_floor(leaves - 1); }

absl::StatusOr<absl::Span<const Hash>> Subtrees::Tile(int tier, uint64_t tile) {
  const auto [found, fresh] = tiles_.try_emplace({tier, tile});
  if (fresh) {
    const uint64_t first = tile << kTierLevels;
    const uint64_t of_tier = size_ >> (kTierLevels * tier);
    QL_CHECK(first < of_tier, "a subtree is complete within the tree");
    std::vector<Hash> hashes(std::min<uint64_t>(kTileHashes, of_tier - first));
    if (absl::Status status = source_.Read(tier, first, absl::MakeSpan(hashes)); !status.ok()) {
      tiles_.erase(found);
      return status;
    }
    found->second = std::move(hashes);
  }
  return absl::MakeConstSpan(found->second);
}

absl::StatusOr<Hash> Subtrees::Complete(int level, uint64_t index) {
  const int tier = level / kTierLevels;
  const int above = level % kTierLevels;  // the tier
  const uint64_t first = index << above;
  QL_ASSIGN_OR_RETURN(const absl::Span<const Hash> tile, Tile(tier, first >> kTierLevels));
  const size_t begin = first % kTileHashes;
  size_t count = size_t{1} << above;
  QL_CHECK(begin + count <= tile.size(), "a subtree is complete within the tree");
  std::array<Hash, kTileHashes> hashes;
  std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(begin), count, hashes.begin());
  for (; count > 1; count /= 2) {
    for (size_t i = 0; i < count / 2; ++i) hashes[i] = hasher_.Node(hashes[2 * i], hashes[2 * i + 1]);
  }
  return hashes[0];
}

absl::StatusOr<Hash> Subtrees::Range(uint64_t begin, uint64_t end) {
  const uint64_t leaves = end - begin;
  if (leaves == 0) return hasher_.Empty();
  if (std::has_single_bit(leaves)) {
    const int level = std::countr_zero(leaves);
    return Complete(level, begin >> level);
  }
  const uint64_t middle = begin + SplitOf(leaves);
  QL_ASSIGN_OR_RETURN(const Hash left, Range(begin, middle));
  QL_ASSIGN_OR_RETURN(const Hash right, Range(middle, end));
  return hasher_.Node(left, right);
}

}  // namespace qinglan::eventstore::transparency
