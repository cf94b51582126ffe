// The postings of a log that is loaded in bulk, and the sorted files in which they go to disk.
//
// Nobody looks anything up in it, so it needs no table of terms: a posting is put at the end of one of some
// hundred lists, by the beginning of its term, and a list is sorted when it is written.
#pragma once

#include <absl/types/span.h>
#include <rocksdb/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/index/index_file.h"

namespace qinglan::eventstore::rocks {

// Not thread-safe, but for Write().
class BulkIndex {
 public:
  // Some of the lists that follow one another; those of a range come before those of the next, in order of
  // key.
  struct Range {
    size_t first = 0;
    size_t end = 0;
  };

  BulkIndex();

  // Postings of one commit, which lies behind all that are here.
  void Add(absl::Span<const TermPosting> postings);

  size_t bytes() const { return postings_ * sizeof(Entry); }
  // All of it, in `parts` ranges of about as many postings, or fewer.
  std::vector<Range> Split(size_t parts) const;

  // Writes the postings of the range as a sorted file at `path`, synced; the first range's begins with the
  // note that the index now reaches to `end`. Their memory is given back. Ranges that do not overlap may be
  // written at the same time, when nothing is added any more.
  rocksdb::Status Write(const Database& database, Range range, Position end, const std::string& path);

 private:
  struct Entry {
    uint64_t term;  // as a number, which is what sorting compares
    Posting posting;
  };
  // In pieces: a list that grows in one piece is copied, and takes up to three times its memory meanwhile.
  struct List {
    std::vector<std::vector<Entry>> pieces;
    size_t size = 0;
  };

  static std::vector<Entry> Sorted(List list);
  static rocksdb::Status PutAll(const std::vector<Entry>& sorted, IndexEntries& entries,
                                std::vector<Posting>& of_entry);

  std::vector<List> lists_;
  size_t postings_ = 0;
};

}  // namespace qinglan::eventstore::rocks
