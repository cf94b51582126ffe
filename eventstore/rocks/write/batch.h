// The commits that one write to the disk will store, in order, and what must be known of them before it has.
#pragma once

#include <absl/time/time.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/event_store.h"
#include "eventstore/query.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/index/index.h"
#include "eventstore/rocks/tree/tree.h"

namespace qinglan::eventstore::rocks {

// Not thread-safe. Requests that were added must outlive it. What is added goes into the index in memory at
// once, past the head, where only this batch looks, and into the tree.
class Batch {
 public:
  // The first commit will begin after `head`; all are recorded at `recorded_at`.
  Batch(Index& index, Tree& tree, Position head, absl::Time recorded_at)
      : index_(index), tree_(tree), start_(head), head_(head), recorded_at_(recorded_at) {}

  Appended Add(const AppendRequest& request);

  struct Commit {
    const AppendRequest* request;
    Appended appended;
  };
  // The commit of this batch with that id, or null.
  const Commit* Find(std::string_view commit_id) const;

  // The first event of this batch past `after` that matches.
  std::optional<Position> FirstMatch(const Query& query, Position after) const;

  bool empty() const { return commits_.empty(); }
  Position head() const { return head_; }  // with this batch
  absl::Time recorded_at() const { return recorded_at_; }
  rocksdb::WriteBatch& bytes() { return bytes_; }

 private:
  bool Matches(const QueryItem& item, Position position) const;
  std::optional<Position> FirstMatch(const QueryItem& item, Position after) const;
  std::optional<Position> FirstAmong(const Term& term, const QueryItem& item, Position after) const;

  Index& index_;
  Tree& tree_;
  const Position start_;
  Position head_;
  const absl::Time recorded_at_;
  std::unordered_map<std::string_view, Commit> commits_;
  std::vector<const NewEvent*> events_;  // that of position start + 1 first
  rocksdb::WriteBatch bytes_;
};

}  // namespace qinglan::eventstore::rocks
