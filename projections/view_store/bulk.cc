#include "projections/view_store/bulk.h"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <thread>

#include "eventstore/check.h"
#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kBytesPerPlace = sizeof(std::string_view) + sizeof(uint32_t) + 1;

}  // namespace

absl::StatusOr<std::optional<std::string>> BulkBatch::Get(std::string_view key) {
  if (const auto place = places_.find(key); place != places_.end()) {
    const Row& row = rows_[place->second];
    if (row.kind == Kind::kDelete) return std::optional<std::string>();
    if (row.kind == Kind::kPut) return std::optional<std::string>(std::in_place, row.value, row.size);
    QL_ASSIGN_OR_RETURN(std::optional<std::string> stored, column_->Get(RowKey(key), nullptr));
    return std::optional<std::string>(
        column_->Appended(key, std::move(stored).value_or(""), {row.value, row.size}));
  }
  if (!stored_) return std::optional<std::string>();
  return column_->GetRow(key, nullptr);
}

char* BulkBatch::Allocate(size_t bytes) {
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes) {
    const size_t size = std::max(kBlockBytes, bytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size, 0});
    bytes_ += size;
  }
  Block& block = blocks_.back();
  char* const place = block.bytes.get() + block.used;
  block.used += bytes;
  return place;
}

BulkBatch::Row& BulkBatch::RowOf(std::string_view key) {
  const auto place = places_.find(key);
  if (place != places_.end()) return rows_[place->second];
  QL_CHECK(rows_.size() < UINT32_MAX, "rows are stored long before there are so many");
  char* const kept = Allocate(key.size());
  std::memcpy(kept, key.data(), key.size());
  const std::string_view name(kept, key.size());
  places_.emplace(name, static_cast<uint32_t>(rows_.size()));
  return rows_.emplace_back(Row{name});
}

void BulkBatch::Set(Row& row, Kind kind, std::string_view value) {
  QL_CHECK(value.size() <= UINT32_MAX, "a row is smaller than 4 GiB");
  if (value.size() > row.room) {
    // What is appended to again and again gets room for more of it.
    const bool grows = kind == Kind::kAppend && row.room > 0;
    const size_t room = std::min<size_t>(grows ? 2 * value.size() : value.size(), UINT32_MAX);
    row.value = Allocate(room);
    row.room = static_cast<uint32_t>(room);
  }
  if (!value.empty()) std::memcpy(row.value, value.data(), value.size());
  row.size = static_cast<uint32_t>(value.size());
  row.kind = kind;
}

void BulkBatch::Put(std::string_view key, std::string_view value) { Set(RowOf(key), Kind::kPut, value); }

void BulkBatch::Delete(std::string_view key) {
  // Of a row that neither is here nor was ever stored there is nothing to delete.
  if (!stored_ && !places_.contains(key)) return;
  RowOf(key).kind = Kind::kDelete;
}

void BulkBatch::Append(std::string_view key, std::string_view bytes) {
  Row& row = RowOf(key);
  if (row.kind == Kind::kNew && stored_) return Set(row, Kind::kAppend, bytes);
  const std::string_view before =
      row.kind == Kind::kDelete ? std::string_view() : std::string_view(row.value, row.size);
  if (row.kind == Kind::kAppend) return Set(row, Kind::kAppend, std::string(before).append(bytes));
  Set(row, Kind::kPut, column_->Appended(key, std::string(before), bytes));
}

size_t BulkBatch::bytes() const {
  // What is empty of the tables is as much again.
  return bytes_ + 2 * rows_.size() * (sizeof(Row) + kBytesPerPlace);
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

absl::Status BulkBatch::WriteFile(const ViewColumn& column, absl::Span<const Row* const> rows,
                                  const std::string& path, const Checkpoint* checkpoint) {
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(), column.db()->GetOptions(column.handle()),
                              column.handle());
  QL_RETURN_IF_ERROR(FromRocks(file.Open(path), "a file of rows"));
  if (checkpoint != nullptr)  // its key comes before every row's
    QL_RETURN_IF_ERROR(FromRocks(file.Put(kCheckpointKey, EncodeCheckpoint(*checkpoint)), "a file of rows"));
  std::string key = RowKey("");
  const size_t prefix = key.size();
  for (const Row* row : rows) {
    key.resize(prefix);
    key += row->key;
    const rocksdb::Slice value(row->value, row->size);
    const rocksdb::Status added = row->kind == Kind::kDelete   ? file.Delete(key)
                                  : row->kind == Kind::kAppend ? file.Merge(key, value)
                                                               : file.Put(key, value);
    QL_RETURN_IF_ERROR(FromRocks(added, "a file of rows"));
  }
  return FromRocks(file.Finish(), "a file of rows");
}

absl::Status BulkBatch::WriteFiles(const std::vector<BulkBatch*>& batches,
                                   const std::vector<std::string>& paths, const Checkpoint& checkpoint) {
  const ViewColumn& column = *batches.front()->column_;
  const std::vector<const Row*> rows = InOrder(batches);
  std::vector<absl::Status> written(paths.size());
  const auto write = [&](size_t i) {
    const size_t begin = rows.size() * i / paths.size();
    const size_t end = rows.size() * (i + 1) / paths.size();
    written[i] = WriteFile(column, absl::MakeConstSpan(rows).subspan(begin, end - begin), paths[i],
                           i == 0 ? &checkpoint : nullptr);
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < paths.size(); ++i) threads.emplace_back(write, i);
  write(0);
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : written) QL_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

void BulkBatch::Discard() {
  rows_.clear();
  places_.clear();
  blocks_.clear();
  bytes_ = 0;
}

}  // namespace qinglan::projections
