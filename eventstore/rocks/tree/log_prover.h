// ProvableLog over the embedded engine.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "eventstore/transparency/proof.h"

namespace qinglan::eventstore::rocks {

// Answers as ProvableLog does for a reader that may see up to `head`. Thread-safe; `database` must outlive
// it.
class LogProver {
 public:
  LogProver(const Database& database, Position head) : database_(database), nodes_(database), head_(head) {}

  absl::StatusOr<transparency::TreeHead> TreeAt(Position at) const;
  absl::StatusOr<std::string> LeafAt(Position position) const;
  absl::StatusOr<transparency::Proof> ProveEvent(Position position, Position in) const;
  absl::StatusOr<transparency::Proof> ProveExtension(Position from, Position to) const;

 private:
  absl::Status CheckReached(Position position) const;

  const Database& database_;
  const StoredNodes nodes_;
  const Position head_;
};

// The root over the log up to `head`, in hexadecimal digits.
absl::StatusOr<std::string> TreeRoot(const Database& database, Position head);

}  // namespace qinglan::eventstore::rocks
