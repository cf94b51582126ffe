#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/transparency/proof_length.h"

namespace qinglan::eventstore::transparency {
namespace {

using Range = std::pair<uint64_t, uint64_t>;

absl::StatusOr<Proof> RootsOf(Subtrees& subtrees, const std::vector<Range>& from_the_root_down) {
  Proof proof;
  proof.reserve(from_the_root_down.size());
  for (auto range = from_the_root_down.rbegin(); range != from_the_root_down.rend(); ++range) {
    QL_ASSIGN_OR_RETURN(const Hash root, subtrees.Range(range->first, range->second));
    proof.push_back(root);
  }
  return proof;
}

// The subtrees beside the way from the root down to the leaf.
std::vector<Range> Siblings(LeafPlace place) {
  std::vector<Range> siblings;
  uint64_t begin = 0;
  uint64_t end = place.size;
  while (end - begin > 1) {
    const uint64_t middle = begin + SplitOf(end - begin);
    if (place.index < middle) {
      siblings.emplace_back(middle, end);
      end = middle;
    } else {
      siblings.emplace_back(begin, middle);
      begin = middle;
    }
  }
  return siblings;
}

// Those beside the way down to the part that ends where the earlier tree ends, and that part.
std::vector<Range> Parts(TreeSpan span) {
  std::vector<Range> parts;
  if (span.from == 0 || span.from == span.to) return parts;
  uint64_t begin = 0;
  uint64_t end = span.to;
  while (span.from != end) {
    const uint64_t middle = begin + SplitOf(end - begin);
    if (span.from <= middle) {
      parts.emplace_back(middle, end);
      end = middle;
    } else {
      parts.emplace_back(begin, middle);
      begin = middle;
    }
  }
  if (begin != 0) parts.emplace_back(begin, end);  // else it is the earlier tree, whose root the verifier has
  return parts;
}

}  // namespace

absl::StatusOr<Hash> RootOf(const NodeSource& source, uint64_t size) {
  return Subtrees(source, size).Range(0, size);
}

absl::StatusOr<Proof> ProveInclusion(const NodeSource& source, LeafPlace place) {
  if (place.index >= place.size) {
    return absl::InvalidArgumentError(
        fmt::format("a tree of {} leaves has no leaf {}", place.size, place.index));
  }
  Subtrees subtrees(source, place.size);
  return RootsOf(subtrees, Siblings(place));
}

absl::StatusOr<Proof> ProveConsistency(const NodeSource& source, TreeSpan span) {
  if (span.from > span.to) {
    return absl::InvalidArgumentError(
        fmt::format("a tree of {} leaves is not earlier than one of {}", span.from, span.to));
  }
  Subtrees subtrees(source, span.to);
  return RootsOf(subtrees, Parts(span));
}

size_t InclusionHashes(LeafPlace place) { return place.index < place.size ? Siblings(place).size() : 0; }
size_t ConsistencyHashes(TreeSpan span) { return span.from <= span.to ? Parts(span).size() : 0; }

}  // namespace qinglan::eventstore::transparency
