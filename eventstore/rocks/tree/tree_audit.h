// The tree derived anew from the log and held against the one that is stored, for fsck.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <rocksdb/snapshot.h>

#include <cstdint>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "eventstore/transparency/frontier.h"

namespace qinglan::eventstore::rocks {

// Memory does not grow with the log. Not thread-safe; all that it is given must outlive it.
class TreeAudit {
 public:
  // Takes what is wrong with the hash that the event at `position` completes.
  using Problem = absl::FunctionRef<void(Position position, std::string_view what)>;

  TreeAudit(const Database& database, const rocksdb::Snapshot* snapshot)
      : database_(database), snapshot_(snapshot) {}

  // The log's records, in order and without a gap. An error when a record or the disk is damaged.
  absl::Status Add(Record& record, Problem problem);
  // After the last one: that nothing is stored besides.
  absl::Status Finish(Problem problem);

  uint64_t hashes() const { return hashes_; }  // that the tree has stored
  // The root over all that was added.
  transparency::Hash Root() { return frontier_.Root(hasher_); }

 private:
  absl::Status Compare(const NodeKey& key, const transparency::Hash& expected, Problem problem);

  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
  uint64_t hashes_ = 0;
  transparency::Frontier frontier_;
  transparency::Hasher hasher_;
  transparency::LeafEncoder encoder_;
};

}  // namespace qinglan::eventstore::rocks
