// Checkpoints (c2sp.org/tlog-checkpoint): a tree's head as a signed note, which anyone may keep and hold
// against the log later.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "eventstore/transparency/key.h"
#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore::transparency {

struct Checkpoint {
  std::string origin;  // which log: the name of the key that signs
  TreeHead head;
  std::vector<std::string> extensions;  // lines that other logs may add; ours adds none

  bool operator==(const Checkpoint&) const = default;
};

// The text that is signed: the origin, the size in decimal, the root in base64, a line each.
std::string CheckpointText(const Checkpoint& checkpoint);
// INVALID_ARGUMENT names the line and the rule that it breaks.
[[nodiscard]] absl::StatusOr<Checkpoint> ParseCheckpointText(std::string_view text);

// The note of this head, of the log that has the key's name.
std::string SignCheckpoint(const TreeHead& head, const SigningKey& key);
// The checkpoint in the note, once it is sure that the key signed it and that it is of the log of the key's
// name. Errors: those of OpenNote() and ParseCheckpointText(); INVALID_ARGUMENT for another log's.
[[nodiscard]] absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note, const VerifierKey& key);

}  // namespace qinglan::eventstore::transparency
