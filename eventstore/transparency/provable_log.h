// A log that can prove what it holds, so that nobody has to believe it.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "eventstore/event.h"
#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore {

// The Merkle tree over the log's events (RFC 6962; leaves as in eventstore/README.md). Its size is the log's
// head, and the event at a position is its leaf position - 1. Tree and log are stored in one write, so that
// one never is without the other. Thread-safe.
class ProvableLog {
 public:
  virtual ~ProvableLog() = default;

  // The tree of all that a reader can see now. Errors of this and of the calls below: DATA_LOSS when a record
  // or a hash is damaged, UNAVAILABLE when the disk fails.
  [[nodiscard]] virtual absl::StatusOr<transparency::TreeHead> CurrentTree() const = 0;
  // The tree as it was when the head was there. OUT_OF_RANGE when it never was.
  [[nodiscard]] virtual absl::StatusOr<transparency::TreeHead> TreeAt(Position head) const = 0;

  // The leaf of the event at `position`. OUT_OF_RANGE when there is none.
  [[nodiscard]] virtual absl::StatusOr<std::string> LeafAt(Position position) const = 0;

  // That the event at `position` is in the tree of the head `in`: at most 64 hashes. OUT_OF_RANGE when it is
  // not, or the log never was there. Cost: two tiles a tier, up to 511 events.
  [[nodiscard]] virtual absl::StatusOr<transparency::Proof> ProveEvent(Position position,
                                                                       Position in) const = 0;

  // That the log at `to` begins with all that it held at `from`, unchanged. OUT_OF_RANGE when `from` is past
  // `to`, or `to` past the head.
  [[nodiscard]] virtual absl::StatusOr<transparency::Proof> ProveExtension(Position from,
                                                                           Position to) const = 0;
};

}  // namespace qinglan::eventstore
