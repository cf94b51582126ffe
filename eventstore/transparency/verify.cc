// The verifier's algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2. They know nothing of how a proof is
// made, so that a mistake there is found here.
#include <fmt/format.h>

#include <bit>

#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore::transparency {
namespace {

absl::Status WrongLength() { return absl::InvalidArgumentError("the proof has too few or too many hashes"); }

absl::Status Leads(bool there, std::string_view what) {
  return there ? absl::OkStatus() : absl::DataLossError(fmt::format("the proof does not lead to {}", what));
}

}  // namespace

absl::Status VerifyInclusion(const Hash& leaf, uint64_t index, const TreeHead& head,
                             absl::Span<const Hash> proof) {
  if (index >= head.size) {
    return absl::InvalidArgumentError(fmt::format("a tree of {} leaves has no leaf {}", head.size, index));
  }
  Hasher hasher;
  uint64_t node = index;
  uint64_t last = head.size - 1;
  Hash root = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return WrongLength();
    if ((node & 1) == 1 || node == last) {
      root = hasher.Node(sibling, root);
      while ((node & 1) == 0 && node != 0) {  // levels at which the right edge has no sibling
        node >>= 1;
        last >>= 1;
      }
    } else {
      root = hasher.Node(root, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return WrongLength();
  return Leads(root == head.root, "the tree's root");
}

absl::Status VerifyConsistency(const TreeHead& earlier, const TreeHead& later, absl::Span<const Hash> proof) {
  if (earlier.size > later.size) {
    return absl::InvalidArgumentError(
        fmt::format("a tree of {} leaves is not earlier than one of {}", earlier.size, later.size));
  }
  Hasher hasher;
  if (earlier.size == 0 || earlier.size == later.size) {
    if (!proof.empty()) return WrongLength();
    if (earlier.size == 0) return Leads(earlier.root == hasher.Empty(), "the root of the empty tree");
    return Leads(earlier.root == later.root, "the same root, though the trees have one size");
  }
  uint64_t node = earlier.size - 1;
  uint64_t last = later.size - 1;
  while ((node & 1) == 1) {
    node >>= 1;
    last >>= 1;
  }
  const bool whole = std::has_single_bit(earlier.size);  // the earlier tree is itself a node of the later
  if (proof.empty() && !whole) return WrongLength();
  Hash earlier_root = whole ? earlier.root : proof.front();
  Hash later_root = earlier_root;
  for (const Hash& part : whole ? proof : proof.subspan(1)) {
    if (last == 0) return WrongLength();
    if ((node & 1) == 1 || node == last) {
      earlier_root = hasher.Node(part, earlier_root);
      later_root = hasher.Node(part, later_root);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      later_root = hasher.Node(later_root, part);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return WrongLength();
  if (earlier_root != earlier.root) return Leads(false, "the earlier tree's root");
  return Leads(later_root == later.root, "the later tree's root");
}

}  // namespace qinglan::eventstore::transparency
