// Fills a new store with the records of another's log, as sorted files that RocksDB takes over: many times
// faster than appending, and the same bytes.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <rocksdb/sst_file_writer.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/index/memory_index.h"
#include "eventstore/rocks/read/reader.h"

namespace qinglan::eventstore::rocks {

// Not thread-safe; has a thread of its own, which makes the index. Until Finish() has returned OK the
// directory is no store to rely on.
class BulkLoader {
 public:
  struct Limits {
    size_t log_file_bytes = 128 * 1024 * 1024;      // of a file of the log
    size_t index_memory_bytes = 192 * 1024 * 1024;  // of postings, which then go to disk as one file
    size_t waiting_postings_max = 4 * 1024 * 1024;  // between the two threads
  };

  // A new store that bears the id `store_id`. `directory` must not be there.
  static absl::StatusOr<std::unique_ptr<BulkLoader>> Make(const std::string& directory,
                                                          const std::string& store_id, const Limits& limits);
  ~BulkLoader();
  BulkLoader(const BulkLoader&) = delete;

  // The next commit as a log has it at `last`. DATA_LOSS with the position when it is damaged, is not the
  // next one, or goes back in time; then nothing more may be added. RESOURCE_EXHAUSTED when the disk is full.
  absl::Status Add(Position last, std::string_view record);

  // All is on stable storage, and index and Merkle tree are complete. The end of the log.
  absl::StatusOr<LogEnd> Finish();

  const LogEnd& end() const { return end_; }

 private:
  // Postings of whole commits up to `end`.
  struct Batch {
    std::vector<TermPosting> postings;
    Position end;
  };

  BulkLoader(std::string directory, const Limits& limits)
      : directory_(std::move(directory)), limits_(limits) {}
  absl::Status CheckNext(const Record& record) const;
  absl::Status PutRecord(Position last, std::string_view record);
  absl::Status FinishLogFile();
  void HandOver();
  absl::Status StopIndexing();

  // The index thread's.
  void IndexAll();
  absl::Status IndexBatch(const Batch& batch);
  absl::Status WriteMemory();

  const std::string directory_;
  const Limits limits_;
  std::unique_ptr<Database> database_;
  LogEnd end_;
  std::unique_ptr<rocksdb::SstFileWriter> log_file_;
  std::string log_file_path_;
  uint64_t log_files_ = 0;
  EventView event_;  // room to decode in
  Batch batch_;

  std::unique_ptr<MemoryIndex> memory_ = std::make_unique<MemoryIndex>();
  Position memory_end_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<Batch> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_postings_ ABSL_GUARDED_BY(mutex_) = 0;
  bool complete_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::thread indexer_;
};

}  // namespace qinglan::eventstore::rocks
