// Fills a new store with the records of another's log, as sorted files that RocksDB takes over: many times
// faster than appending, and the same bytes.
//
//   caller  checks each record, lets the tree grow, gathers its postings, collects the records of a file
//   tasks   write the files: of the log, each from its own records; of the index, each a range of the terms
//
// The files lie beside the database until Finish(), which hands over all of them.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <rocksdb/write_batch.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/backup/tasks.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/index/bulk_index.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/rocks/tree/tree.h"

namespace qinglan::eventstore::rocks {

// Not thread-safe; has threads of its own, which write the files. Until Finish() has returned OK the
// directory is no store to rely on.
class BulkLoader {
 public:
  struct Limits {
    size_t log_file_bytes = 64 * 1024 * 1024;       // of records in a file of the log, before compression
    size_t index_memory_bytes = 256 * 1024 * 1024;  // of postings, which then go to disk
  };

  // A new store that bears the id `store_id`. `directory` must not be there.
  static absl::StatusOr<std::unique_ptr<BulkLoader>> Make(const std::string& directory,
                                                          const std::string& store_id, const Limits& limits);
  BulkLoader(const BulkLoader&) = delete;

  // The next commit as a log has it at `last`. DATA_LOSS with the position when it is damaged, is not the
  // next one, or goes back in time; then nothing more may be added. RESOURCE_EXHAUSTED when the disk is full.
  absl::Status Add(Position last, std::string_view record);

  // All is on stable storage, and index and Merkle tree are complete. The end of the log.
  absl::StatusOr<LogEnd> Finish();

  const LogEnd& end() const { return end_; }

 private:
  // The records of one file of the log.
  struct LogPart {
    struct Entry {
      Position last;
      size_t end;  // of its bytes, which follow those of the one before
    };
    std::string bytes;
    std::vector<Entry> entries;
  };

  BulkLoader(std::string directory, const Limits& limits);
  absl::Status CheckNext(const Record& record) const;
  absl::Status AddToTree(Record& record);
  absl::Status WriteTree(bool sync);
  absl::Status HandOverLog();
  absl::Status HandOverIndex();
  std::shared_ptr<LogPart> TakeSpare();
  absl::Status WriteLogFile(const LogPart& part, const std::string& path) const;
  absl::Status TakeOverFiles();

  const std::string directory_;
  const Limits limits_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Tree> tree_;
  LogEnd end_;
  CommitPostings postings_;  // room for those of one commit
  EventView event_;          // room to decode in
  rocksdb::WriteBatch tree_batch_;
  std::shared_ptr<LogPart> part_;
  std::shared_ptr<BulkIndex> index_;
  std::vector<std::string> log_files_;                 // in the order of their records
  std::vector<std::vector<std::string>> index_files_;  // those with the postings of older commits first
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<LogPart>> spare_ ABSL_GUARDED_BY(mutex_);
  Tasks tasks_;  // last, so that it ends before what its tasks use
};

}  // namespace qinglan::eventstore::rocks
