// The index as a whole: on disk up to a position, in memory from there to the head.
//
//   1 ······ on_disk ······ older_end ······ head
//   RocksDB  |  older: being written  |  newest: being filled
//
// When `newest` is full it becomes `older`, and a thread writes that as one sorted file, which RocksDB takes
// over whole together with the new value of on_disk. Nothing here needs the write-ahead log: what is in
// memory is derived again from the log when the store is opened, and there is never more of it than the
// limits below allow.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/types/span.h>

#include <cstddef>
#include <memory>
#include <thread>

#include "eventstore/query.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/index/disk_iterators.h"
#include "eventstore/rocks/index/memory_index.h"

namespace qinglan::eventstore::rocks {

// What one reading looks at: nothing in it moves, but that `newest` grows at its end. Whoever reads up to a
// head must have taken the head before the view.
struct IndexView {
  Position on_disk;    // RocksDB has every posting up to here
  Position older_end;  // `older` has those from there to here
  std::shared_ptr<const MemoryIndex> older;
  std::shared_ptr<const MemoryIndex> newest;  // the rest
  std::shared_ptr<DiskIterators> iterators;
};

// Thread-safe; but Add(), Stored(), MakeRoom(), has_room(), Derive(), newest() and MayMatchPast() are
// for who has the writer's role (committer.h). `database` must outlive it.
class Index {
 public:
  struct Limits {
    size_t newest_bytes = 24 * 1024 * 1024;    // then it is written, when nothing else is being written
    size_t room_bytes = 3 * 24 * 1024 * 1024;  // then appends wait
  };

  // The index of a log that ends at `head`. DATA_LOSS when the index on disk knows of more events than the
  // log has, or a record whose postings must be derived is damaged.
  static absl::StatusOr<std::unique_ptr<Index>> Open(Database& database, Position head, const Limits& limits);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  const Database& database() const { return database_; }
  std::shared_ptr<const IndexView> view() const;

  // Postings of one commit on its way into the log.
  void Add(absl::Span<const TermPosting> postings);
  // The memory to which Add() adds.
  const MemoryIndex& newest() const { return *newest_; }
  // Whether an event that matches may lie past `after`, those of the batch under way
  // included. Always true when `after` lies before the newest memory. Reads nothing from the disk.
  bool MayMatchPast(const Query& query, Position after) const;
  // Everything up to `head` is in the log.
  void Stored(Position head);
  bool has_room() const { return newest_->bytes() < limits_.room_bytes; }
  // Waits until the index may grow; the error of the disk when it can not.
  absl::Status MakeRoom();
  // Takes the postings past `older_end` from the log again, which ends at `head`: after a write that failed.
  absl::Status Derive(Position head);

 private:
  Index(Database& database, const Limits& limits) : database_(database), limits_(limits) {}

  void WriteOlder();  // the writer's thread

  Database& database_;
  const Limits limits_;
  std::shared_ptr<MemoryIndex> newest_;  // the committer's
  Position newest_after_;                // the committer's: view_'s older_end, without the lock
  Position stored_;                      // the committer's

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  std::shared_ptr<const IndexView> view_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // of the last attempt to write
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread writer_;
};

}  // namespace qinglan::eventstore::rocks
