#include "eventstore/transparency/frontier.h"

#include <bit>
#include <optional>

#include "eventstore/check.h"

namespace qinglan::eventstore::transparency {

absl::StatusOr<Frontier> Frontier::Load(const NodeSource& source, uint64_t size) {
  Frontier frontier;
  Subtrees subtrees(source, size);
  for (int level = 0; level < kTreeLevelsMax; ++level) {
    if ((size >> level & 1) == 0) continue;
    QL_ASSIGN_OR_RETURN(frontier.roots_[static_cast<size_t>(level)],
                        subtrees.Complete(level, (size >> level) - 1));
  }
  frontier.size_ = size;
  return frontier;
}

void Frontier::Add(const Hash& leaf, Hasher& hasher, Keep keep) {
  Hash root = leaf;
  int level = 0;
  for (; (size_ >> level & 1) != 0; ++level) {
    if (level > 0 && level % kTierLevels == 0) keep(level / kTierLevels, size_ >> level, root);
    root = hasher.Node(roots_[static_cast<size_t>(level)], root);
  }
  if (level > 0 && level % kTierLevels == 0) keep(level / kTierLevels, size_ >> level, root);
  roots_[static_cast<size_t>(level)] = root;
  ++size_;
}

Hash Frontier::Root(Hasher& hasher) const {
  std::optional<Hash> root;
  for (uint64_t bits = size_; bits != 0; bits &= bits - 1) {
    const Hash& left = roots_[static_cast<size_t>(std::countr_zero(bits))];
    root = root.has_value() ? hasher.Node(left, *root) : left;
  }
  return root.has_value() ? *root : hasher.Empty();
}

}  // namespace qinglan::eventstore::transparency
