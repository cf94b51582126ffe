#include "eventstore/rocks/backup/bulk_loader.h"

#include <fmt/format.h>
#include <rocksdb/sst_file_writer.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kCacheBytes = 32 * 1024 * 1024;
constexpr size_t kThreads = 2;     // one that reads can feed about so many
constexpr size_t kWaitingMax = 2;  // files of which all is in memory, besides those being written
// Compressing takes half of all the time. Level 3, which compaction uses, takes a third longer for 1 % less.
constexpr int kLogCompressionLevel = 2;
// To train a file's dictionary, as compaction does, takes a quarter of all the time. One that begins with the
// file's own bytes and has zstd add only their statistics is as good on 50,000 people's made-up events, and
// 2 % worse on a district's records, if it is twice as long.
constexpr uint32_t kDictionaryBytes = 32 * 1024;
constexpr int kTreeWriteHashes = 4096;
// Index files that lie one behind another go where they stay. Later ones overlap with them: RocksDB sorts
// them in by itself, the sooner the more they are.
constexpr size_t kFirstIndexFiles = 4;

}  // namespace

BulkLoader::BulkLoader(std::string directory, const Limits& limits)
    : directory_(std::move(directory)),
      limits_(limits),
      postings_("", Position()),
      index_(std::make_shared<BulkIndex>()),
      tasks_(kThreads, kWaitingMax) {
  part_ = TakeSpare();
}

absl::StatusOr<std::unique_ptr<BulkLoader>> BulkLoader::Make(const std::string& directory,
                                                             const std::string& store_id,
                                                             const Limits& limits) {
  std::unique_ptr<BulkLoader> loader(new BulkLoader(directory, limits));
  QL_ASSIGN_OR_RETURN(loader->database_, Database::Open({directory, kCacheBytes, false}));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  QL_RETURN_IF_ERROR(FromRocks(loader->database_->db()->Put(synced, AsSlice(kMetaStoreIdKey), store_id),
                               "writing the store's id"));
  QL_ASSIGN_OR_RETURN(loader->tree_, Tree::Open(*loader->database_, Position()));
  return loader;
}

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
  postings_.Start(record.commit_id(), last);
  QL_RETURN_IF_ERROR(record.AddTo(postings_, event_));
  QL_RETURN_IF_ERROR(AddToTree(record));
  index_->Add(postings_.all());
  part_->bytes.append(bytes);
  part_->entries.push_back({last, part_->bytes.size()});
  end_ = {last, record.recorded_at()};
  if (index_->bytes() >= limits_.index_memory_bytes) QL_RETURN_IF_ERROR(HandOverIndex());
  // The first files are small, so that there is something to do soon.
  const size_t bytes_max = limits_.log_file_bytes / (log_files_.size() < kThreads ? 4 : 1);
  return part_->bytes.size() < bytes_max ? absl::OkStatus() : HandOverLog();
}

// In order and each write after the one before, so that what a crash leaves is the tree of a shorter log.
absl::Status BulkLoader::AddToTree(Record& record) {
  QL_RETURN_IF_ERROR(tree_->Add(record, tree_batch_));
  return tree_batch_.Count() < kTreeWriteHashes ? absl::OkStatus() : WriteTree(false);
}

absl::Status BulkLoader::WriteTree(bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  const absl::Status status = FromRocks(database_->db()->Write(options, &tree_batch_), "writing the tree");
  tree_batch_.Clear();
  return status;
}

absl::Status BulkLoader::HandOverLog() {
  if (part_->entries.empty()) return absl::OkStatus();
  log_files_.push_back(fmt::format("{}/{}.records", directory_, log_files_.size() + 1));
  const std::shared_ptr<LogPart> part = std::exchange(part_, TakeSpare());
  return tasks_.Add([this, part, path = log_files_.back()] {
    QL_RETURN_IF_ERROR(WriteLogFile(*part, path));
    const absl::MutexLock lock(&mutex_);
    spare_.push_back(part);
    return absl::OkStatus();
  });
}

// Memory that has been used: to get as much from the system again costs more than to fill it.
std::shared_ptr<BulkLoader::LogPart> BulkLoader::TakeSpare() {
  const absl::MutexLock lock(&mutex_);
  if (spare_.empty()) {
    auto part = std::make_shared<LogPart>();
    part->bytes.reserve(limits_.log_file_bytes + limits_.log_file_bytes / 8);  // so that it is never moved
    return part;
  }
  std::shared_ptr<LogPart> part = std::move(spare_.back());
  spare_.pop_back();
  part->bytes.clear();
  part->entries.clear();
  return part;
}

absl::Status BulkLoader::WriteLogFile(const LogPart& part, const std::string& path) const {
  rocksdb::Options options = database_->db()->GetOptions(database_->log());
  options.bottommost_compression_opts.level = kLogCompressionLevel;
  options.bottommost_compression_opts.use_zstd_dict_trainer = false;
  options.bottommost_compression_opts.max_dict_bytes = kDictionaryBytes;
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(options), options, database_->log());
  QL_RETURN_IF_ERROR(FromRocks(file.Open(path), "writing the log"));
  size_t begin = 0;
  for (const LogPart::Entry& entry : part.entries) {
    const rocksdb::Slice record(part.bytes.data() + begin, entry.end - begin);
    QL_RETURN_IF_ERROR(FromRocks(file.Put(PositionKey(entry.last), record), "writing the log"));
    begin = entry.end;
  }
  return FromRocks(file.Finish(), "writing the log");
}

absl::Status BulkLoader::HandOverIndex() {
  if (index_->bytes() == 0) return absl::OkStatus();
  const std::shared_ptr<BulkIndex> index = std::exchange(index_, std::make_shared<BulkIndex>());
  const size_t group = index_files_.size();
  index_files_.emplace_back();
  for (const BulkIndex::Range range : index->Split(group == 0 ? kFirstIndexFiles : 1)) {
    std::vector<std::string>& files = index_files_[group];
    files.push_back(fmt::format("{}/{}-{}.postings", directory_, group + 1, files.size() + 1));
    QL_RETURN_IF_ERROR(tasks_.Add([this, index, range, end = end_.head, path = files.back()] {
      return FromRocks(index->Write(*database_, range, end, path), "writing the index");
    }));
  }
  return absl::OkStatus();
}

// The index after the log, and each of its parts with the note of how far it reaches then.
absl::Status BulkLoader::TakeOverFiles() {
  if (!log_files_.empty())
    QL_RETURN_IF_ERROR(FromRocks(database_->Ingest(database_->log(), log_files_), "taking over the log"));
  for (const std::vector<std::string>& files : index_files_)
    QL_RETURN_IF_ERROR(FromRocks(database_->Ingest(database_->index(), files), "taking over the index"));
  return absl::OkStatus();
}

absl::StatusOr<LogEnd> BulkLoader::Finish() {
  QL_RETURN_IF_ERROR(HandOverIndex());
  QL_RETURN_IF_ERROR(HandOverLog());
  QL_RETURN_IF_ERROR(WriteTree(true));
  QL_RETURN_IF_ERROR(tasks_.Finish());
  QL_RETURN_IF_ERROR(TakeOverFiles());
  tree_.reset();
  database_.reset();
  return end_;
}

}  // namespace qinglan::eventstore::rocks
