// The postings of the newest events, in memory, until they are written to the index on disk in bulk.
//
// A posting kept in RocksDB's own memtable costs a skip list's search, a key and a copy in the write-ahead
// log; here it is sixteen bytes at the end of its term's list, and the log alone, from which it can be
// derived again, needs to be synced.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>
#include <absl/synchronization/mutex.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "eventstore/rocks/format/posting.h"

namespace qinglan::eventstore::rocks {

enum class Direction { kForwards, kBackwards };

// True when a comes before b on the way.
inline bool Before(Position a, Position b, Direction direction) {
  return direction == Direction::kForwards ? a < b : a > b;
}

// Thread-safe: one writer, any number of readers. A reader may see postings of commits that are not visible
// yet, and goes no further than the head.
class MemoryIndex {
 public:
  // Postings of one commit, which lies behind all that are here.
  void Add(absl::Span<const TermPosting> postings);

  // Appends to `out` the postings of the term from the first commit on the way that is at or past the one
  // that ends at `last`: whole commits, as many as make up some dozen postings. Nothing when there is none.
  void Copy(const Term& term, Position last, Direction direction, std::vector<Posting>& out) const;

  // How many postings of a term are past `after`; and those, oldest first, until the visitor says false. The
  // visitor must not come back here.
  size_t CountPast(const Term& term, Position after) const;
  void ForEachPast(const Term& term, Position after, absl::FunctionRef<bool(const Posting&)> visit) const;

  // Whether an event past `after` may match: false when no posting says so.
  bool MayMatchPast(const Query& query, Position after) const;

  // Every term, in order of key, with its postings. Of an index to which nothing is added any more.
  void ForEachTerm(absl::FunctionRef<void(const Term&, absl::Span<const Posting>)> visit) const;

  size_t bytes() const;  // about

 private:
  using List = absl::InlinedVector<Posting, 1>;

  const List* Find(const Term& term) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, List> lists_ ABSL_GUARDED_BY(mutex_);  // by the term's bytes as a number
  size_t postings_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace qinglan::eventstore::rocks
