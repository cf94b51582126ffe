// The RocksDB database under a store: its column families, how it is tuned, and its errors in our words.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"

namespace qinglan::eventstore::rocks {

inline rocksdb::Slice AsSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view AsView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Of one write to the log: what is laid down here the tree and a start's look at the write-ahead logs rely
// on. A single commit is smaller.
inline constexpr size_t kWriteEventsMax = 4096;
inline constexpr size_t kWriteBytesMax = 8 * 1024 * 1024;

struct DatabaseOptions {
  std::string directory;
  size_t cache_bytes = 0;
  bool small_buffers = false;   // for tests: so small that a few commits reach every kind of file
  rocksdb::Env* env = nullptr;  // where the files are; null is the real file system; outlives the database
};

// Thread-safe, as RocksDB is.
class Database {
 public:
  // Opens or makes the database for one writer. FAILED_PRECONDITION when another process has it open or its
  // format is another's; DATA_LOSS when it is damaged.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const DatabaseOptions& options);

  // Opens an existing database that nobody writes. NOT_FOUND when there is none.
  static absl::StatusOr<std::unique_ptr<Database>> OpenReadOnly(const DatabaseOptions& options);

  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB* db() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* log() const { return families_[1]; }
  rocksdb::ColumnFamilyHandle* index() const { return families_[2]; }
  rocksdb::ColumnFamilyHandle* tree() const { return families_[3]; }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const { return families_; }
  rocksdb::Cache& cache() const { return *cache_; }  // of blocks, and of events (read/event_cache.h)
  // Whether a read whose events stay in the cache should leave its blocks there this time, too. While there
  // is room, yes. Once the cache has been full a block takes the room of some ten events and is wanted again
  // for one of them at best: then at every sixteenth call, for RocksDB's fill_cache decides about blocks and
  // about the index partitions that lead to them alike. Counts its calls.
  bool KeepBlocksThisTime() const;
  const std::string& store_id() const { return store_id_; }

  // Writes `batch` to stable storage, by one thread at a time. After an error nothing can be written until
  // db()->Resume() succeeded; what the failed write held is there whole or not at all.
  rocksdb::Status WriteSynced(rocksdb::WriteBatch& batch);

  // To be called once Resume() has succeeded, before anything is written: what the failed write held, if it
  // is not there by now, will never be, whatever a loss of power or a crash brings back. Takes some flushes'
  // time. An error: to be called again before anything is written; only a new start may help.
  rocksdb::Status ForgetFailedWrite();

  // Makes the sorted files, of which none overlaps with another, a part of the family, and moves them there.
  // One thread at a time.
  rocksdb::Status Ingest(rocksdb::ColumnFamilyHandle* family, const std::vector<std::string>& paths);

  // Whether RocksDB has stopped for an error since it was opened, even if it goes on by now. RocksDB 7.8 goes
  // on remembering it after a full disk, and then an ingestion is not refused but ends the process, and a
  // flush is not waited for.
  bool has_stopped() const { return notes_->has_stopped; }

 private:
  // What RocksDB tells from its own threads.
  struct Notes {
    std::atomic<bool> has_stopped = false;
    std::atomic<bool> meta_sealed = true;        // the meta family's memtable is empty, or may be
    std::atomic<bool> log_ended = false;         // a write-ahead log, and the manifest may not know
    std::atomic<int> deletions_held = 0;         // times, by ingestions that failed
    std::atomic<bool> manifest_written = false;  // since the last of them
  };
  class Listener;
  void LetDeletionsGo();
  rocksdb::Status SwitchFirst();
  rocksdb::Status AwaitFlushes() const;
  rocksdb::Status LetGoOfWal();

  Database() = default;
  absl::Status CheckMeta(bool may_write);
  absl::Status WriteMeta();
  absl::Status NoteWholeIndex();

  const std::shared_ptr<Notes> notes_ = std::make_shared<Notes>();
  std::unique_ptr<rocksdb::Env> env_;  // that db_ works through
  std::shared_ptr<rocksdb::Cache> cache_;
  mutable std::atomic<bool> cache_has_filled_ = false;
  mutable std::atomic<uint32_t> asked_about_blocks_ = 0;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;  // in the order of opening: meta, log, index, tree
  std::string store_id_;
  bool must_be_reopened_ = false;  // nobody knows what of the last write will show up
  size_t wal_bytes_max_ = 0;
  size_t wal_bytes_ = 0;  // written since the memtables were last flushed for their number; WriteSynced()'s
};

// How every read is done: checksums verified, always.
rocksdb::ReadOptions CheckedRead();

// RocksDB's error as ours, for what was met while doing `what`: damage is DATA_LOSS, a full disk
// RESOURCE_EXHAUSTED, anything else UNAVAILABLE.
absl::Status FromRocks(const rocksdb::Status& status, std::string_view what);

}  // namespace qinglan::eventstore::rocks
