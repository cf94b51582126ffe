#include "projections/view_store/batch.h"

#include <rocksdb/write_batch.h>

#include "eventstore/check.h"
#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {

absl::StatusOr<std::optional<std::string>> PendingBatch::Get(std::string_view key) {
  const auto change = rows_.find(key);
  if (change == rows_.end()) return column_->GetRow(key, nullptr);
  if (change->second.kind == Change::Kind::kDelete) return std::optional<std::string>();
  if (change->second.kind == Change::Kind::kPut) return std::optional<std::string>(change->second.bytes);
  QL_ASSIGN_OR_RETURN(std::optional<std::string> row, column_->Get(RowKey(key), nullptr));
  return std::optional<std::string>(
      column_->Appended(key, std::move(row).value_or(""), change->second.bytes));
}

void PendingBatch::Put(std::string_view key, std::string_view value) {
  rows_.insert_or_assign(std::string(key), Change{Change::Kind::kPut, std::string(value)});
}

void PendingBatch::Delete(std::string_view key) {
  rows_.insert_or_assign(std::string(key), Change{Change::Kind::kDelete, ""});
}

void PendingBatch::Append(std::string_view key, std::string_view bytes) {
  const auto change = rows_.find(key);
  if (change == rows_.end()) {
    rows_.emplace(key, Change{Change::Kind::kAppend, std::string(bytes)});
  } else if (change->second.kind == Change::Kind::kAppend) {
    change->second.bytes += bytes;
  } else {  // what the row was is known
    change->second = {Change::Kind::kPut, column_->Appended(key, std::move(change->second.bytes), bytes)};
  }
}

rocksdb::Status PendingBatch::AddTo(rocksdb::WriteBatch& write) const {
  rocksdb::ColumnFamilyHandle* const column = column_->handle();
  for (const auto& [key, change] : rows_) {
    rocksdb::Status added;
    switch (change.kind) {
      case Change::Kind::kPut:
        added = write.Put(column, RowKey(key), change.bytes);
        break;
      case Change::Kind::kDelete:
        added = write.Delete(column, RowKey(key));
        break;
      case Change::Kind::kAppend:
        added = write.Merge(column, RowKey(key), change.bytes);
        break;
    }
    if (!added.ok()) return added;
  }
  return rocksdb::Status::OK();
}

}  // namespace qinglan::projections
