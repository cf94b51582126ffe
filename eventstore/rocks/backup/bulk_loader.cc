#include "eventstore/rocks/backup/bulk_loader.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/index/index_file.h"
#include "eventstore/rocks/tree/tree.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kCacheBytes = 32 * 1024 * 1024;
constexpr size_t kBatchPostings = 32 * 1024;

}  // namespace

absl::StatusOr<std::unique_ptr<BulkLoader>> BulkLoader::Make(const std::string& directory,
                                                             const std::string& store_id,
                                                             const Limits& limits) {
  std::unique_ptr<BulkLoader> loader(new BulkLoader(directory, limits));
  QL_ASSIGN_OR_RETURN(loader->database_, Database::Open({directory, kCacheBytes, false}));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  QL_RETURN_IF_ERROR(FromRocks(loader->database_->db()->Put(synced, AsSlice(kMetaStoreIdKey), store_id),
                               "writing the store's id"));
  loader->indexer_ = std::thread([raw = loader.get()] { raw->IndexAll(); });
  return loader;
}

BulkLoader::~BulkLoader() { (void)StopIndexing(); }

absl::Status BulkLoader::CheckNext(const Record& record) const {
  const Position expected = end_.head.Next();
  if (record.first() != expected) return DataLossError(expected, "the log has no record here");
  if (record.recorded_at() < end_.recorded_at) return DataLossError(record.last(), "recorded_at goes back");
  return absl::OkStatus();
}

absl::Status BulkLoader::Add(Position last, std::string_view bytes) {
  QL_ASSIGN_OR_RETURN(Record record, Record::Parse(last, bytes));
  QL_RETURN_IF_ERROR(CheckNext(record));
  QL_RETURN_IF_ERROR(record.CheckWhole());
  CommitPostings postings(record.commit_id(), last);
  QL_RETURN_IF_ERROR(record.AddTo(postings, event_));
  QL_RETURN_IF_ERROR(PutRecord(last, bytes));
  const auto all = postings.all();
  batch_.postings.insert(batch_.postings.end(), all.begin(), all.end());
  batch_.end = last;
  end_ = {last, record.recorded_at()};
  if (batch_.postings.size() < kBatchPostings) return absl::OkStatus();
  HandOver();
  const absl::MutexLock lock(&mutex_);
  return failure_;
}

absl::Status BulkLoader::PutRecord(Position last, std::string_view record) {
  if (log_file_ == nullptr) {
    const rocksdb::Options options = database_->db()->GetOptions(database_->log());
    log_file_path_ = fmt::format("{}/{}.records", directory_, ++log_files_);
    log_file_ =
        std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(options), options, database_->log());
    QL_RETURN_IF_ERROR(FromRocks(log_file_->Open(log_file_path_), "writing the log"));
  }
  QL_RETURN_IF_ERROR(FromRocks(log_file_->Put(PositionKey(last), AsSlice(record)), "writing the log"));
  return log_file_->FileSize() < limits_.log_file_bytes ? absl::OkStatus() : FinishLogFile();
}

absl::Status BulkLoader::FinishLogFile() {
  if (log_file_ == nullptr) return absl::OkStatus();
  QL_RETURN_IF_ERROR(FromRocks(log_file_->Finish(), "writing the log"));
  log_file_.reset();
  rocksdb::IngestExternalFileOptions ingest;
  ingest.move_files = true;
  ingest.failed_move_fall_back_to_copy = false;
  return FromRocks(database_->db()->IngestExternalFile(database_->log(), {log_file_path_}, ingest),
                   "taking over the log");
}

void BulkLoader::HandOver() {
  if (batch_.postings.empty()) return;  // the last commit has filled a batch: nothing is left over
  const absl::MutexLock lock(&mutex_);
  while (failure_.ok() && waiting_postings_ > limits_.waiting_postings_max) changed_.Wait(&mutex_);
  waiting_postings_ += batch_.postings.size();
  waiting_.push_back(std::exchange(batch_, Batch()));
  batch_.postings.reserve(kBatchPostings + kBatchPostings / 8);
  changed_.SignalAll();
}

absl::Status BulkLoader::StopIndexing() {
  {
    const absl::MutexLock lock(&mutex_);
    complete_ = true;
    changed_.SignalAll();
  }
  if (indexer_.joinable()) indexer_.join();
  const absl::MutexLock lock(&mutex_);
  return failure_;
}

absl::StatusOr<LogEnd> BulkLoader::Finish() {
  HandOver();
  QL_RETURN_IF_ERROR(FinishLogFile());
  QL_RETURN_IF_ERROR(StopIndexing());
  if (end_.head > Position()) QL_RETURN_IF_ERROR(WriteMemory());
  QL_ASSIGN_OR_RETURN(const auto tree, Tree::Open(*database_, end_.head));
  QL_RETURN_IF_ERROR(tree->ready());
  database_.reset();
  return end_;
}

void BulkLoader::IndexAll() {
  for (;;) {
    Batch batch;
    {
      const absl::MutexLock lock(&mutex_);
      while (waiting_.empty() && !complete_) changed_.Wait(&mutex_);
      if (waiting_.empty() || !failure_.ok()) return;
      batch = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_postings_ -= batch.postings.size();
      changed_.SignalAll();
    }
    if (absl::Status status = IndexBatch(batch); !status.ok()) {
      const absl::MutexLock lock(&mutex_);
      failure_ = std::move(status);
      changed_.SignalAll();
      return;
    }
  }
}

absl::Status BulkLoader::IndexBatch(const Batch& batch) {
  memory_->Add(batch.postings);
  memory_end_ = batch.end;
  return memory_->bytes() < limits_.index_memory_bytes ? absl::OkStatus() : WriteMemory();
}

absl::Status BulkLoader::WriteMemory() {
  QL_RETURN_IF_ERROR(WriteIndexFile(*database_, *memory_, memory_end_));
  memory_ = std::make_unique<MemoryIndex>();
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
