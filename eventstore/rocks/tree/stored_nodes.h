// The tree's hashes as the store has them: those of single events from the log, the others as they lie.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <rocksdb/snapshot.h>

#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/transparency/leaf.h"
#include "eventstore/transparency/node_source.h"

namespace qinglan::eventstore::rocks {

// A key of the family `tree`.
struct NodeKey {
  int tier = 0;
  uint64_t index = 0;  // of the tier, from 0

  std::string Encode() const;
  // False when the bytes are no key of a node.
  [[nodiscard]] static bool Decode(std::string_view bytes, NodeKey& key);
};

// Calls `visit` for each event of the record from `from` to `to` with the bytes that its leaf hash is of.
// DATA_LOSS when the record does not parse.
absl::Status ForEachHashedLeaf(Record& record, Position from, Position to, transparency::LeafEncoder& encoder,
                               absl::FunctionRef<void(std::string_view hashed)> visit);

// Thread-safe; `database` must outlive it.
class StoredNodes final : public transparency::NodeSource {
 public:
  explicit StoredNodes(const Database& database) : database_(database) {}

  // DATA_LOSS when a record or a hash is damaged or not there.
  absl::Status Read(int tier, uint64_t first, absl::Span<transparency::Hash> hashes) const override;

  // How many hashes of the tier are stored.
  absl::StatusOr<uint64_t> Count(int tier) const;

 private:
  absl::Status ReadLeaves(Position first, absl::Span<transparency::Hash> hashes) const;

  const Database& database_;
};

}  // namespace qinglan::eventstore::rocks
