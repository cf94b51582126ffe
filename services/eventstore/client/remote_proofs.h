// What a remote log proves of itself, asked for over one connection.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "eventstore/transparency/provable_log.h"
#include "services/eventstore/client/connection.h"

namespace qinglan::eventstore::remote {

// Thread-safe; the connection must outlive it. An answer is held to what was asked: the size of a tree, the
// form of a leaf, how many hashes a proof has. What does not fit is INTERNAL. Whether a proof leads to the
// root is for whoever holds a root that they trust.
class RemoteProofs final : public ProvableLog {
 public:
  RemoteProofs(const Connection& connection, absl::Duration timeout)
      : connection_(connection), timeout_(timeout) {}

  absl::StatusOr<transparency::TreeHead> CurrentTree() const override;
  absl::StatusOr<transparency::TreeHead> TreeAt(Position head) const override;
  absl::StatusOr<std::string> LeafAt(Position position) const override;
  absl::StatusOr<transparency::Proof> ProveEvent(Position position, Position in) const override;
  absl::StatusOr<transparency::Proof> ProveExtension(Position from, Position to) const override;

 private:
  const Connection& connection_;
  const absl::Duration timeout_;
};

}  // namespace qinglan::eventstore::remote
