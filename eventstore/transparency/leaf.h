// The bytes that stand for one event in the Merkle tree: all that is stored of it, so that nothing of it can
// change, and nothing of other events, so that it can be shown alone. Specified in eventstore/README.md.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/event.h"

namespace qinglan::eventstore::transparency {

inline constexpr uint8_t kLeafVersion = 1;

// Makes the leaves of one commit after another; keeps its memory. Not thread-safe.
class LeafEncoder {
 public:
  // `head`: what the record says of the whole commit, as it is stored: recorded_at to count.
  void StartCommit(std::string_view head);

  // The leaf of the commit's event `index`, from 0; `event`: type to payload, as it is stored. The bytes are
  // valid until the next call.
  std::string_view Leaf(uint32_t index, std::string_view event);
  // The same, with kLeafPrefix in front: what is hashed.
  std::string_view Hashed(uint32_t index, std::string_view event);

 private:
  std::string bytes_;
  size_t head_bytes_ = 0;
};

// A leaf, read. Every view points into the leaf's bytes.
struct DecodedLeaf {
  EventView event;  // its position is the one given
  std::string_view fingerprint;
  uint32_t events_in_commit = 0;
};

// INVALID_ARGUMENT when the bytes are no leaf.
[[nodiscard]] absl::StatusOr<DecodedLeaf> DecodeLeaf(std::string_view leaf, Position position);

}  // namespace qinglan::eventstore::transparency
