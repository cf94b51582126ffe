#include "projections/view_store/batch.h"

#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {

absl::StatusOr<std::optional<std::string>> PendingBatch::Get(std::string_view key) {
  if (const auto row = rows_.find(key); row != rows_.end()) return row->second;
  return column_->Get(RowKey(key), nullptr);
}

void PendingBatch::Put(std::string_view key, std::string_view value) {
  rows_.insert_or_assign(std::string(key), std::string(value));
}

void PendingBatch::Delete(std::string_view key) { rows_.insert_or_assign(std::string(key), std::nullopt); }

}  // namespace qinglan::projections
