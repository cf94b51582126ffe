#include "eventstore/rocks/database.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/disk/damage_check.h"
#include "eventstore/rocks/disk/manifest_guard.h"
#include "eventstore/rocks/disk/prepared_logs.h"
#include "eventstore/rocks/disk/presence.h"
#include "eventstore/rocks/disk/server_log.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

// A read of a few scattered events decompresses a block for each, so blocks are small; what they lose by
// that, the dictionary of their file gives back.
constexpr size_t kLogBlockBytes = 4 * 1024;
constexpr uint32_t kDictionaryBytes = 16 * 1024;
constexpr uint32_t kDictionarySampleBytes = 100 * kDictionaryBytes;  // zstd's advice
constexpr uint64_t kDictionaryBufferBytes = 8 * 1024 * 1024;  // of a file being written, to sample from
constexpr size_t kIndexBlockBytes = 8 * 1024;
constexpr double kBloomBitsPerKey = 10;
// Of the cache: where data blocks that were read once do not drive out filters, indexes and events.
constexpr double kCacheForSmallThings = 0.9;
constexpr double kCacheIsFull = 0.95;  // its parts do not fill evenly
constexpr uint32_t kKeepBlocksEvery = 16;
constexpr size_t kWriteBufferBytes = 32 * 1024 * 1024;
constexpr int kWriteBuffersMax = 4;  // of a family; more wait for the disk before writers have to
constexpr size_t kSmallWriteBufferBytes = 64 * 1024;
constexpr size_t kWalBytesMax = 256 * 1024 * 1024;  // bounds what a start has to replay
constexpr size_t kSmallWalBytesMax = 512 * 1024;
constexpr absl::Duration kFlushMax = absl::Seconds(10);
constexpr absl::Duration kFlushLookAgain = absl::Milliseconds(1);

rocksdb::BlockBasedTableOptions TableOptions(const std::shared_ptr<rocksdb::Cache>& cache,
                                             size_t block_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.format_version = 5;
  table.cache_index_and_filter_blocks =
      true;  // so that memory stays within the cache however long the log is
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  return table;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const DatabaseOptions& options) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.small_buffers ? kSmallWriteBufferBytes : kWriteBufferBytes;
  family.max_write_buffer_number = kWriteBuffersMax;
  family.compression = rocksdb::kLZ4Compression;
  family.bottommost_compression = rocksdb::kZSTD;
  family.level_compaction_dynamic_level_bytes = true;
  return family;
}

std::shared_ptr<rocksdb::Cache> NewCache(size_t bytes) {
  rocksdb::LRUCacheOptions cache;
  cache.capacity = bytes;
  cache.high_pri_pool_ratio = kCacheForSmallThings;
  return rocksdb::NewLRUCache(cache);
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families(const DatabaseOptions& options,
                                                      const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions log = FamilyOptions(options);
  log.bottommost_compression_opts.enabled = true;
  log.bottommost_compression_opts.max_dict_bytes = kDictionaryBytes;
  log.bottommost_compression_opts.zstd_max_train_bytes = kDictionarySampleBytes;
  log.bottommost_compression_opts.max_dict_buffer_bytes = kDictionaryBufferBytes;
  log.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache, kLogBlockBytes)));

  rocksdb::ColumnFamilyOptions index = FamilyOptions(options);
  index.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kTermBytes));
  index.memtable_prefix_bloom_size_ratio = 0.1;
  rocksdb::BlockBasedTableOptions table = TableOptions(cache, kIndexBlockBytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.whole_key_filtering = false;  // one filter entry a term, not one a posting
  index.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  rocksdb::ColumnFamilyOptions tree = FamilyOptions(options);
  tree.compression = rocksdb::kNoCompression;  // hashes do not compress
  tree.bottommost_compression = rocksdb::kNoCompression;
  tree.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache, kIndexBlockBytes)));

  return {{rocksdb::kDefaultColumnFamilyName, FamilyOptions(options)},
          {std::string(kLogFamily), log},
          {std::string(kIndexFamily), index},
          {std::string(kTreeFamily), tree}};
}

rocksdb::Env* EnvOf(const DatabaseOptions& options) {
  return options.env != nullptr ? options.env : rocksdb::Env::Default();
}

rocksdb::DBOptions DbOptions(const DatabaseOptions& options) {
  rocksdb::DBOptions db;
  db.env = EnvOf(options);
  db.paranoid_checks = true;
  // A write that was cut short at the end of a WAL was never acknowledged and may go. Damage anywhere before
  // is an error: kPointInTimeRecovery would drop acknowledged commits in silence, kAbsoluteConsistency would
  // refuse every start after a crash.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.track_and_verify_wals_in_manifest = true;  // a WAL that went missing is an error, too
  // Never by RocksDB itself, which would do it within a write: see LetGoOfWal().
  db.max_total_wal_size = std::numeric_limits<uint64_t>::max();
  db.info_log = std::make_shared<ServerLog>();
  db.max_background_jobs = 2;
  // What is only in memtables is in the write-ahead log, too, or can be derived.
  db.avoid_flush_during_shutdown = true;
  return db;
}

absl::Status OpenError(const rocksdb::Status& status, const std::string& directory) {
  if (status.IsIOError() && status.ToString().find("LOCK") != std::string::npos)
    return FromLocking(status, directory);
  return FromRocks(status, fmt::format("opening {}", directory));
}

absl::StatusOr<std::string> NewStoreId() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1)
    return absl::UnavailableError("no randomness for the store's id");
  std::string id;
  for (unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

}  // namespace

class Database::Listener final : public rocksdb::EventListener {
 public:
  explicit Listener(std::shared_ptr<Notes> notes) : notes_(std::move(notes)) {}
  // Before it stops.
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    notes_->has_stopped = true;
  }
  // After the manifest was written, too.
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    notes_->manifest_written = true;
  }
  // Before anybody writes to the next memtable.
  void OnMemTableSealed(const rocksdb::MemTableInfo& sealed) override {
    if (sealed.cf_name == rocksdb::kDefaultColumnFamilyName) notes_->meta_sealed = true;
    notes_->log_ended = true;
  }

 private:
  const std::shared_ptr<Notes> notes_;
};

rocksdb::ReadOptions CheckedRead() {
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  return read;
}

absl::Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = fmt::format("{}: {}", what, status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

bool Database::KeepBlocksThisTime() const {
  const bool now_and_then = asked_about_blocks_++ % kKeepBlocksEvery == 0;
  if (now_and_then && !cache_has_filled_) {
    const auto full = kCacheIsFull * static_cast<double>(cache_->GetCapacity());
    cache_has_filled_ = static_cast<double>(cache_->GetUsage()) >= full;
  }
  return now_and_then || !cache_has_filled_;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  rocksdb::DBOptions db_options = DbOptions(options);
  db_options.create_if_missing = true;
  db_options.create_missing_column_families = true;
  std::unique_ptr<Database> database(new Database);
  db_options.listeners = {std::make_shared<Listener>(database->notes_)};
  database->cache_ = NewCache(options.cache_bytes);
  database->wal_bytes_max_ = options.small_buffers ? kSmallWalBytesMax : kWalBytesMax;
  rocksdb::DB* db = nullptr;
  if (const rocksdb::Status status = EnvOf(options)->CreateDirIfMissing(options.directory); !status.ok()) {
    return FromRocks(status, "making the directory");
  }
  QL_ASSIGN_OR_RETURN(const WalEnds ends, CheckFilesBeforeOpening(*EnvOf(options), options.directory));
  database->env_ = PrepareLogs(*GuardManifest(*EnvOf(options)), ends);
  db_options.env = database->env_.get();
  const rocksdb::Status status = rocksdb::DB::Open(
      db_options, options.directory, Families(options, database->cache_), &database->families_, &db);
  if (!status.ok()) return OpenError(status, options.directory);
  database->db_.reset(db);
  QL_RETURN_IF_ERROR(database->CheckMeta(true));
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenReadOnly(const DatabaseOptions& options) {
  if (!EnvOf(options)->FileExists(options.directory + "/CURRENT").ok()) {
    return absl::NotFoundError(fmt::format("{}: no event store here", options.directory));
  }
  QL_ASSIGN_OR_RETURN(const WalEnds ends, CheckFilesBeforeOpening(*EnvOf(options), options.directory));
  std::unique_ptr<Database> database(new Database);
  database->env_ = PrepareLogs(*EnvOf(options), ends);
  rocksdb::DBOptions db_options = DbOptions(options);
  db_options.env = database->env_.get();
  database->cache_ = NewCache(options.cache_bytes);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(
      db_options, options.directory, Families(options, database->cache_), &database->families_, &db);
  if (!status.ok()) return OpenError(status, options.directory);
  database->db_.reset(db);
  QL_RETURN_IF_ERROR(database->CheckMeta(false));
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) (void)db_->DestroyColumnFamilyHandle(family);
  (void)db_->Close();
}

// RocksDB 7.8 gets rid of a write-ahead log that it could not write to by flushing memtables. When all of
// them are empty (the store was just opened, or all was flushed) it says that it has recovered, keeps the
// log, and the next write to it ends the process. So there is always something in one of them: the deletion
// of a key that nobody ever wrote, which needs no write-ahead log and is gone with the next compaction.
rocksdb::Status Database::WriteSynced(rocksdb::WriteBatch& batch) {
  if (wal_bytes_ >= wal_bytes_max_) {
    if (rocksdb::Status status = LetGoOfWal(); !status.ok()) return status;
  }
  if (rocksdb::Status status = SwitchFirst(); !status.ok()) return status;
  if (notes_->deletions_held > 0 && notes_->manifest_written) LetDeletionsGo();
  rocksdb::WriteOptions synced;
  synced.sync = true;
  wal_bytes_ += batch.GetDataSize();
  rocksdb::Status status = db_->Write(synced, &batch);
  // Another thread's flush came in between: what SwitchFirst() is to prevent may have happened.
  if (!status.ok() && notes_->log_ended) must_be_reopened_ = true;
  return status;
}

// A memtable that is full is exchanged, and the write-ahead log with it, at the begin of the next write. That
// shall not be `batch`'s: it would be the first to tell the manifest of the log that has ended, and if there
// is no room for that, RocksDB 7.8 says that the write has failed and keeps it in the memtable, where it
// shows up with the writes that come after it.
rocksdb::Status Database::SwitchFirst() {
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  rocksdb::WriteBatch nothing;
  if (rocksdb::Status status = db_->Write(unlogged, &nothing); !status.ok()) return status;
  if (notes_->meta_sealed.exchange(false)) {
    if (rocksdb::Status status = db_->Delete(unlogged, families_[0], AsSlice(kNothingKey)); !status.ok()) {
      notes_->meta_sealed = true;
      return status;
    }
  }
  while (notes_->log_ended.exchange(false)) {
    if (rocksdb::Status status = db_->SyncWAL(); !status.ok()) {
      notes_->log_ended = true;
      return status;
    }
  }
  return rocksdb::Status::OK();
}

// Recovering, RocksDB 7.8 writes once more to the write-ahead log what it could not write, and leaves that
// log for another. A family whose memtable was empty goes on, for the next start, from the log that was left:
// if its file is still there or comes back, the failed write is in the family again, over commits that have
// taken its positions. So every family is made to go on from the new log: all are flushed, none of them
// empty.
rocksdb::Status Database::ForgetFailedWrite() {
  if (must_be_reopened_)
    return rocksdb::Status::IOError("what was written is not known until the store is opened again");
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    if (rocksdb::Status status = db_->Delete(unlogged, family, AsSlice(kNothingKey)); !status.ok())
      return status;
  }
  if (rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), families_); !status.ok()) return status;
  return AwaitFlushes();
}

// After a full disk RocksDB 7.8 does not wait for a flush, whatever it is asked.
rocksdb::Status Database::AwaitFlushes() const {
  const absl::Time patience = absl::Now() + kFlushMax;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    uint64_t waiting = 1;
    while (waiting > 0) {
      if (!db_->GetIntProperty(family, rocksdb::DB::Properties::kNumImmutableMemTable, &waiting))
        return rocksdb::Status::NotSupported("how many memtables wait to be flushed");
      if (waiting > 0 && absl::Now() > patience) return rocksdb::Status::TimedOut("a flush takes long");
      if (waiting > 0) absl::SleepFor(kFlushLookAgain);
    }
  }
  return rocksdb::Status::OK();
}

// Has all memtables flushed, so that the write-ahead logs up to here can go. RocksDB would do so itself
// within the write that finds too much of them: that write would be the first in a new log, with every
// memtable empty, and if the disk had no room for it, there would be nothing to flush to get rid of that log.
rocksdb::Status Database::LetGoOfWal() {
  rocksdb::FlushOptions flush;
  flush.wait = false;
  flush.allow_write_stall = true;
  const rocksdb::Status status = db_->Flush(flush, families_);
  if (status.ok()) wal_bytes_ = 0;
  // Flushes are so far behind that the write waits for them; the next one tries this again.
  return status.IsTryAgain() ? rocksdb::Status::OK() : status;
}

// RocksDB 7.8 writes to the manifest before it ingests. When that fails it does not take note as it does
// elsewhere: recovering from any other error then finds a broken manifest while files may be deleted, and
// ends the process. So none may be deleted from before the ingestion until the manifest was written again.
rocksdb::Status Database::Ingest(rocksdb::ColumnFamilyHandle* family, const std::vector<std::string>& paths) {
  if (rocksdb::Status status = db_->DisableFileDeletions(); !status.ok()) return status;
  rocksdb::IngestExternalFileOptions ingest;
  ingest.move_files = true;
  ingest.failed_move_fall_back_to_copy = false;
  rocksdb::Status status = db_->IngestExternalFile(family, paths, ingest);
  if (status.ok()) {
    (void)db_->EnableFileDeletions(/*force=*/false);
    LetDeletionsGo();
  } else {
    (void)db_->DisableFileDeletions();  // once more: a recovery that ended meanwhile has let them go on
    notes_->manifest_written = false;
    notes_->deletions_held += 2;
  }
  return status;
}

void Database::LetDeletionsGo() {
  for (int n = notes_->deletions_held.exchange(0); n > 0; --n)
    (void)db_->EnableFileDeletions(/*force=*/false);
}

absl::Status Database::CheckMeta(bool may_write) {
  std::string format;
  const rocksdb::Status found = db_->Get(CheckedRead(), families_[0], AsSlice(kMetaFormatKey), &format);
  if (found.IsNotFound()) {
    const std::unique_ptr<rocksdb::Iterator> any(db_->NewIterator(CheckedRead(), log()));
    any->SeekToFirst();
    if (any->Valid()) return absl::DataLossError("there are records, but the store's meta data is gone");
    if (!may_write) return absl::NotFoundError("no event store here: it was never finished being made");
    return WriteMeta();
  }
  QL_RETURN_IF_ERROR(FromRocks(found, "reading the format"));
  if (format == kMetaFormatIndexInWal && may_write) {
    QL_RETURN_IF_ERROR(NoteWholeIndex());
  } else if (format != kMetaFormat) {
    return absl::FailedPreconditionError(
        fmt::format("the store has format {}, this program format {}", format, kMetaFormat));
  }
  return FromRocks(db_->Get(CheckedRead(), families_[0], AsSlice(kMetaStoreIdKey), &store_id_),
                   "reading the store's id");
}

// A store of format 1 wrote each posting together with its commit, so its index on disk is complete.
absl::Status Database::NoteWholeIndex() {
  const std::unique_ptr<rocksdb::Iterator> last(db_->NewIterator(CheckedRead(), log()));
  last->SeekToLast();
  QL_RETURN_IF_ERROR(FromRocks(last->status(), "reading the log"));
  std::string up_to = last->Valid() ? last->key().ToString() : std::string(kPositionBytes, '\0');
  rocksdb::WriteBatch batch;
  QL_RETURN_IF_ERROR(FromRocks(batch.Put(index(), AsSlice(kIndexedKey), up_to), "meta"));
  QL_RETURN_IF_ERROR(
      FromRocks(batch.Put(families_[0], AsSlice(kMetaFormatKey), AsSlice(kMetaFormat)), "meta"));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return FromRocks(db_->Write(synced, &batch), "writing the meta data");
}

absl::Status Database::WriteMeta() {
  QL_ASSIGN_OR_RETURN(store_id_, NewStoreId());
  rocksdb::WriteBatch batch;
  QL_RETURN_IF_ERROR(
      FromRocks(batch.Put(families_[0], AsSlice(kMetaFormatKey), AsSlice(kMetaFormat)), "meta"));
  QL_RETURN_IF_ERROR(FromRocks(batch.Put(families_[0], AsSlice(kMetaStoreIdKey), store_id_), "meta"));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return FromRocks(db_->Write(synced, &batch), "writing the meta data");
}

}  // namespace qinglan::eventstore::rocks
