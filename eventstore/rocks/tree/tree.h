// The Merkle tree over the log, kept by the committer: it grows with each commit, and what it stores goes
// into the commit's own write, so that tree and log cannot part.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "eventstore/transparency/frontier.h"
#include "eventstore/transparency/hash.h"
#include "eventstore/transparency/leaf.h"

namespace qinglan::eventstore::rocks {

// Of the committer's thread. `database` must outlive it.
class Tree {
 public:
  // The tree of a log that ends at `head`: reads at most 255 events and 255 hashes a tier. A store that has
  // no tree yet, or whose tree was not finished, is given one first, from all its events. DATA_LOSS when the
  // tree has more than the log, whose end was lost, then. When what must be read is damaged the tree is there
  // and not ready: the log can be read, and must not grow.
  static absl::StatusOr<std::unique_ptr<Tree>> Open(Database& database, Position head);

  // DATA_LOSS, with the place, when the tree at the log's end is not known.
  const absl::Status& ready() const { return ready_; }
  // Lets the tree grow by a commit on its way into the log: `record` is what is stored at `last`. What the
  // tree stores for it goes into `batch`.
  void Add(Position last, std::string_view record, rocksdb::WriteBatch& batch);
  // The same, of a record that came from elsewhere: DATA_LOSS when it does not parse.
  absl::Status Add(Record& record, rocksdb::WriteBatch& batch);
  // Takes the tree from the store again, whose log ends at `head`: after a write that failed.
  absl::Status Derive(Position head);

 private:
  explicit Tree(Database& database) : database_(database), nodes_(database) {}
  absl::Status Fill(Position head);
  absl::Status Cut(Position head);  // takes away what is behind

  Database& database_;
  const StoredNodes nodes_;
  absl::Status ready_;
  transparency::Frontier frontier_;
  transparency::Hasher hasher_;
  transparency::LeafEncoder encoder_;
};

}  // namespace qinglan::eventstore::rocks
