// The sorted file in which a part of the index goes to disk, and the note of how far the index on disk
// reaches.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <string>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/index/memory_index.h"

namespace qinglan::eventstore::rocks {

// Encodes entries of the index, which come in order of key, and hands them to `put`, which must outlive it.
// Keeps its memory; not thread-safe.
class IndexEntries {
 public:
  using PutEntry = absl::FunctionRef<rocksdb::Status(const rocksdb::Slice& key, const rocksdb::Slice& value)>;

  explicit IndexEntries(PutEntry put) : put_(put) {}

  // How far the index reaches. Comes before all others.
  rocksdb::Status PutReach(Position end);
  // The postings of one term and of the commit that ends at `last`: ascending, none twice.
  rocksdb::Status Put(const Term& term, Position last, absl::Span<const Posting> postings);

 private:
  const PutEntry put_;
  std::string key_;
  std::string value_;
};

// Puts the postings of `memory` into the index on disk, together with the note that it now reaches to `end`:
// both or neither. On stable storage when it returns, or soon (a crash before then loses both, and opening
// the store derives them again). RESOURCE_EXHAUSTED when the disk is full.
absl::Status WriteIndexFile(Database& database, const MemoryIndex& memory, Position end);

// How far the index on disk reaches: it has each posting up to here.
absl::StatusOr<Position> ReadIndexedUpTo(const Database& database,
                                         const rocksdb::Snapshot* snapshot = nullptr);

// What a process left behind that ended while it was writing.
absl::Status RemoveUnfinishedIndexFiles(const Database& database);

}  // namespace qinglan::eventstore::rocks
