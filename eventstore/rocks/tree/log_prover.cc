#include "eventstore/rocks/tree/log_prover.h"

#include <fmt/format.h>

#include "eventstore/check.h"
#include "eventstore/rocks/read/log_cursor.h"

namespace qinglan::eventstore::rocks {

using transparency::Proof;
using transparency::TreeHead;

absl::Status LogProver::CheckReached(Position position) const {
  if (position <= head_) return absl::OkStatus();
  return absl::OutOfRangeError(fmt::format("position {} is past the head {}", position.value, head_.value));
}

absl::StatusOr<TreeHead> LogProver::TreeAt(Position at) const {
  QL_RETURN_IF_ERROR(CheckReached(at));
  QL_ASSIGN_OR_RETURN(const transparency::Hash root, transparency::RootOf(nodes_, at.value));
  return TreeHead{at.value, root};
}

absl::StatusOr<std::string> LogProver::LeafAt(Position position) const {
  QL_RETURN_IF_ERROR(CheckReached(position));
  if (position == Position(0)) return absl::OutOfRangeError("there is no event at position 0");
  LogCursor log(database_);
  QL_RETURN_IF_ERROR(log.SeekContaining(position));
  transparency::LeafEncoder encoder;
  std::string leaf;
  QL_RETURN_IF_ERROR(ForEachHashedLeaf(log.record(), position, position, encoder,
                                       [&](std::string_view hashed) { leaf = hashed.substr(1); }));
  return leaf;
}

absl::StatusOr<Proof> LogProver::ProveEvent(Position position, Position in) const {
  QL_RETURN_IF_ERROR(CheckReached(in));
  if (position == Position(0) || position > in) {
    return absl::OutOfRangeError(
        fmt::format("the log up to {} has no position {}", in.value, position.value));
  }
  return transparency::ProveInclusion(nodes_, {position.value - 1, in.value});
}

absl::StatusOr<Proof> LogProver::ProveExtension(Position from, Position to) const {
  QL_RETURN_IF_ERROR(CheckReached(to));
  if (from > to) {
    return absl::OutOfRangeError(fmt::format("position {} is past position {}", from.value, to.value));
  }
  return transparency::ProveConsistency(nodes_, {from.value, to.value});
}

absl::StatusOr<std::string> TreeRoot(const Database& database, Position head) {
  QL_ASSIGN_OR_RETURN(const TreeHead tree, LogProver(database, head).TreeAt(head));
  return Hex(tree.root);
}

}  // namespace qinglan::eventstore::rocks
