#include "projections/view_store/bulk.h"

#include <rocksdb/sst_file_writer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <new>

#include "eventstore/check.h"
#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"
#include "projections/view_store/storage/threads.h"

namespace qinglan::projections {
namespace {

// Fewer bytes are not worth a file of their own; and more files than threads, so that all have something to
// do to the end.
constexpr size_t kBytesOfAFileMin = size_t{2} << 20;
constexpr size_t kFilesPerThread = 2;
constexpr size_t kShifts = 97;  // a prime, for positions may go up in even steps

// A row with these bytes at its end. One that is damaged stays as it is, with the bytes after it, and keeps
// no other from being stored: whoever reads it is told.
absl::Status AddAppended(rocksdb::SstFileWriter& writer, const ViewColumn& column, std::string_view row,
                         bool stored, const std::string& bytes) {
  const std::string key = RowKey(row);
  absl::StatusOr<std::optional<std::string>> before = std::optional<std::string>();
  if (stored) before = column.Get(key, nullptr);
  if (absl::IsDataLoss(before.status())) {
    spdlog::error("a row of view {} cannot be read: {}", column.handle()->GetName(),
                  before.status().ToString());
    return FromRocks(writer.Merge(key, bytes), "a file of rows");
  }
  QL_RETURN_IF_ERROR(before.status());
  const std::string whole = column.Appended(row, (*std::move(before)).value_or(""), bytes);
  return FromRocks(writer.Put(key, whole), "a file of rows");
}

}  // namespace

BulkMemory::Bytes BulkMemory::Take() {
  const absl::MutexLock lock(&mutex_);
  if (free_.empty()) return std::make_unique_for_overwrite<char[]>(kBlockBytes);
  Bytes block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BulkMemory::GiveBack(Bytes block) {
  const absl::MutexLock lock(&mutex_);
  free_.push_back(std::move(block));
}

void BulkMemory::Release() {
  const absl::MutexLock lock(&mutex_);
  free_.clear();
}

absl::StatusOr<std::optional<std::string>> BulkBatch::Get(std::string_view key) {
  if (const auto place = places_.find(Seek(key)); place != places_.end()) {
    const Row& row = rows_[place->row];
    if (row.kind == Kind::kDelete) return std::optional<std::string>();
    if (row.kind == Kind::kPut) return std::optional<std::string>(std::in_place, row.value, row.size);
    std::optional<std::string> stored;
    if (stored_) {
      QL_ASSIGN_OR_RETURN(stored, column_->Get(RowKey(key), nullptr));
    }
    std::string appended;
    Gather(row, appended);
    return std::optional<std::string>(column_->Appended(key, std::move(stored).value_or(""), appended));
  }
  if (!stored_) return std::optional<std::string>();
  return column_->GetRow(key, nullptr);
}

char* BulkBatch::Allocate(size_t bytes) {
  bytes = (bytes + alignof(Piece) - 1) / alignof(Piece) * alignof(Piece);
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes) {
    const size_t size = std::max(BulkMemory::kBlockBytes, bytes);
    blocks_.push_back(
        {size == BulkMemory::kBlockBytes ? memory_->Take() : std::make_unique_for_overwrite<char[]>(size),
         size, 0});
    bytes_ += size;
  }
  Block& block = blocks_.back();
  char* const place = block.bytes.get() + block.used;
  block.used += bytes;
  return place;
}

BulkBatch::Sought BulkBatch::Seek(std::string_view key) const {
  return {key, static_cast<uint32_t>(std::hash<std::string_view>()(key)), rows_};
}

BulkBatch::Row& BulkBatch::RowOf(std::string_view key) {
  const Sought sought = Seek(key);
  const auto place = places_.find(sought);
  if (place != places_.end()) return rows_[place->row];
  QL_CHECK(rows_.size() < UINT32_MAX, "rows are stored long before there are so many");
  char* const kept = Allocate(key.size());
  std::memcpy(kept, key.data(), key.size());
  const std::string_view name(kept, key.size());
  places_.insert(Place{static_cast<uint32_t>(rows_.size()), sought.hash});
  return rows_.emplace_back(Row{name});
}

void BulkBatch::Set(Row& row, std::string_view value) {
  QL_CHECK(value.size() <= UINT32_MAX, "a row is smaller than 4 GiB");
  if (value.size() > row.room) {
    row.value = Allocate(value.size());
    row.room = static_cast<uint32_t>(value.size());
  }
  if (!value.empty()) std::memcpy(row.value, value.data(), value.size());
  row.size = static_cast<uint32_t>(value.size());
  row.kind = Kind::kPut;
}

void BulkBatch::AddPiece(Row& row, std::string_view bytes) {
  auto* const piece = new (Allocate(sizeof(Piece) + bytes.size())) Piece{nullptr, bytes.size()};
  std::memcpy(piece + 1, bytes.data(), bytes.size());
  (row.kind == Kind::kAppend ? row.last->next : row.first) = piece;
  row.last = piece;
  row.kind = Kind::kAppend;
}

void BulkBatch::Gather(const Row& row, std::string& bytes) {
  bytes.clear();
  for (const Piece* piece = row.first; piece != nullptr; piece = piece->next) {
    __builtin_prefetch(piece->next);  // which was appended much later
    bytes.append(piece->bytes());
  }
}

void BulkBatch::Put(std::string_view key, std::string_view value) { Set(RowOf(key), value); }

void BulkBatch::Delete(std::string_view key) {
  // Of a row that neither is here nor was ever stored there is nothing to delete.
  if (!stored_ && !places_.contains(Seek(key))) return;
  RowOf(key).kind = Kind::kDelete;
}

void BulkBatch::Append(std::string_view key, std::string_view bytes) {
  Row& row = RowOf(key);
  if (row.kind == Kind::kNew || row.kind == Kind::kAppend) return AddPiece(row, bytes);
  const std::string before =
      row.kind == Kind::kDelete ? std::string() : std::string(std::string_view(row.value, row.size));
  Set(row, column_->Appended(key, before, bytes));
}

size_t BulkBatch::bytes() const {
  // What is empty of the tables is as much again.
  return bytes_ + 2 * rows_.size() * (sizeof(Row) + sizeof(Place) + 1);
}

std::vector<const BulkBatch::Row*> BulkBatch::InOrder(const std::vector<BulkBatch*>& batches) {
  const auto before = [](const Row* a, const Row* b) { return a->key < b->key; };
  std::vector<const Row*> all;
  for (const BulkBatch* batch : batches) {
    const auto first = static_cast<ptrdiff_t>(all.size());
    all.reserve(all.size() + batch->rows_.size());
    for (const Row& row : batch->rows_)
      if (batch->stored_ || row.kind != Kind::kDelete) all.push_back(&row);
    if (!std::is_sorted(all.begin() + first, all.end(), before))
      std::sort(all.begin() + first, all.end(), before);
    std::inplace_merge(all.begin(), all.begin() + first, all.end(), before);
  }
  return all;
}

std::vector<size_t> BulkBatch::Cuts(size_t rows, size_t bytes, size_t threads, uint64_t shift) {
  const size_t files = std::clamp<size_t>(bytes / kBytesOfAFileMin, 1, kFilesPerThread * threads);
  shift %= kShifts;
  std::vector<size_t> cuts = {0};
  for (size_t i = shift > 0 ? 0 : 1; i < files; ++i)
    cuts.push_back(rows * (i * kShifts + shift) / (files * kShifts));
  cuts.push_back(rows);
  return cuts;
}

absl::Status BulkBatch::WriteFile(const ViewColumn& column, const File& file,
                                  const std::atomic<bool>& ended) {
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(column.db()->GetDBOptions()),
                                column.db()->GetOptions(column.handle()), column.handle());
  QL_RETURN_IF_ERROR(FromRocks(writer.Open(file.path), "a file of rows"));
  if (file.checkpoint != nullptr)  // its key comes before every row's
    QL_RETURN_IF_ERROR(
        FromRocks(writer.Put(kCheckpointKey, EncodeCheckpoint(*file.checkpoint)), "a file of rows"));
  std::string appended;
  for (const Row* row : file.rows) {
    if (ended) return absl::CancelledError("storing rows was ended");
    rocksdb::Status added;
    if (row->kind == Kind::kDelete) {
      added = writer.Delete(RowKey(row->key));
    } else if (row->kind == Kind::kPut) {
      added = writer.Put(RowKey(row->key), rocksdb::Slice(row->value, row->size));
    } else {
      Gather(*row, appended);
      if (file.pieces) {
        added = writer.Merge(RowKey(row->key), appended);
      } else {
        QL_RETURN_IF_ERROR(AddAppended(writer, column, row->key, file.stored, appended));
      }
    }
    QL_RETURN_IF_ERROR(FromRocks(added, "a file of rows"));
  }
  return FromRocks(writer.Finish(), "a file of rows");
}

absl::Status BulkBatch::WriteFiles(const ViewColumn& column, const std::vector<File>& files, size_t threads,
                                   const std::atomic<bool>& ended) {
  return EachOnSomeThread(files.size(), threads,
                          [&](size_t i) { return WriteFile(column, files[i], ended); });
}

void BulkBatch::Discard() {
  rows_.clear();
  places_.clear();
  for (Block& block : blocks_)
    if (block.size == BulkMemory::kBlockBytes) memory_->GiveBack(std::move(block.bytes));
  blocks_.clear();
  bytes_ = 0;
}

}  // namespace qinglan::projections
