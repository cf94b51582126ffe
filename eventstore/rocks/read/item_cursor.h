// Finds, in the index alone, the events that may match one item of a query, commit by commit in either
// direction.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <string>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/index/index.h"

namespace qinglan::eventstore::rocks {

// The entries of one term, one a commit, on disk and in memory alike. Not thread-safe.
class TermCursor {
 public:
  // For who stops at `up_to`: entries past it may come or not, for where there is nothing else nobody looks.
  TermCursor(const IndexView& view, const Term& term, Direction direction,
             Position up_to = Position(UINT64_MAX))
      : view_(&view), term_(term), direction_(direction), wants_newest_(up_to > view.older_end) {}
  ~TermCursor();
  TermCursor(TermCursor&&) noexcept = default;

  // To the first entry on the way whose commit is at or past the one that ends at `last`.
  absl::Status Seek(Position last);
  absl::Status Next();

  bool valid() const { return valid_; }
  Position last() const { return last_; }  // of the commit
  // DATA_LOSS when the entry does not parse.
  absl::Status Decode(Places& places) const;

 private:
  absl::Status SeekDisk(Position last);
  // Takes over where the iterator stands; damage is told to be at or past `near`.
  absl::Status SettleOnDisk(Position near);
  void SeekMemory(Position last);
  // Takes over the commit that begins at copied_[begin] (forwards) or ends before copied_[end] (backwards).
  void SettleInMemory();

  const IndexView* view_;
  Term term_;
  Direction direction_;
  bool wants_newest_;
  bool valid_ = false;
  Position last_;
  bool on_disk_ = false;  // where the valid entry is
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::vector<Posting> copied_;  // from memory
  size_t begin_ = 0;             // the entry's postings in it
  size_t end_ = 0;
};

// The candidates of one item that names types or tags. Not thread-safe.
//   tags         leapfrog: each list in turn jumps to where the others are, so the cost is that of the
//   shortest list types only   the union of the types' lists
class ItemCursor {
 public:
  // `up_to` as above. Each step from entry to entry takes one of `steps_left`, which must outlive this; when
  // there is none, it is RESOURCE_EXHAUSTED.
  ItemCursor(const IndexView& view, const QueryItem& item, Direction direction, Position up_to,
             size_t& steps_left);

  absl::Status Seek(Position last);
  absl::Status Next();

  bool valid() const { return valid_; }
  Position last() const { return last_; }           // of the commit
  const Places& places() const { return places_; }  // in that commit, ascending; none twice

 private:
  absl::Status TakeStep();
  absl::Status Settle();
  absl::Status SettleAll();
  absl::Status SettleAny();
  // Moves all lists to one commit, or makes this invalid.
  absl::Status Align();
  // Fills places_ with what all lists name in the commit where they stand.
  absl::Status Intersect();

  Direction direction_;
  size_t* steps_left_;
  bool all_;  // every list must name an event (tags), or any (types)
  std::vector<TermCursor> terms_;
  std::vector<uint32_t> type_hashes_;  // with tags: none means any
  bool valid_ = false;
  Position last_;
  Places places_;
};

}  // namespace qinglan::eventstore::rocks
