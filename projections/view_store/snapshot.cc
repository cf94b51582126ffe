#include "projections/view_store/snapshot.h"

#include <rocksdb/db.h>
#include <rocksdb/slice.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {

ViewSnapshot::ViewSnapshot(ViewId view, std::shared_ptr<SharedMoment> moment,
                           std::shared_ptr<ViewColumn> column, Checkpoint checkpoint)
    : view_(std::move(view)),
      column_(std::move(column)),
      moment_(std::move(moment)),
      checkpoint_(std::move(checkpoint)) {}
ViewSnapshot::ViewSnapshot(ViewSnapshot&&) noexcept = default;
ViewSnapshot& ViewSnapshot::operator=(ViewSnapshot&&) noexcept = default;
ViewSnapshot::~ViewSnapshot() = default;

absl::StatusOr<std::optional<std::string>> ViewSnapshot::Get(std::string_view key) const {
  return column_->GetRow(key, moment_->get());
}

absl::StatusOr<bool> ViewSnapshot::Scan(const ScanOptions& options, RowVisitor visit) const {
  const std::string prefix = RowKey(options.prefix);
  const std::string end = EndOfPrefix(prefix);
  const rocksdb::Slice upper_bound(end);
  rocksdb::ReadOptions read;
  read.snapshot = moment_->get();
  read.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> rows(column_->db()->NewIterator(read, column_->handle()));
  // The key that follows `after` at once is `after` and a zero byte.
  const std::string first = std::max(prefix, options.after.empty() ? prefix : RowKey(options.after) + '\0');
  std::string folded;
  size_t seen = 0;
  for (rows->Seek(first); rows->Valid(); rows->Next()) {
    if (seen == options.limit) return false;
    ++seen;
    const std::string_view key = KeyOfRow(View(rows->key()));
    if (!visit(key, column_->Folded(key, View(rows->value()), folded))) return false;
  }
  QL_RETURN_IF_ERROR(FromRocks(rows->status(), "scan"));
  return true;
}

struct RowCursor::Parts {
  std::string end;
  rocksdb::Slice upper_bound;
  std::unique_ptr<rocksdb::Iterator> rows;
  const ViewColumn* column = nullptr;
  std::string folded;
};

RowCursor::RowCursor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RowCursor::RowCursor(RowCursor&&) noexcept = default;
RowCursor::~RowCursor() = default;

RowCursor ViewSnapshot::Rows() const {
  auto parts = std::make_unique<RowCursor::Parts>();
  parts->column = column_.get();
  parts->end = EndOfPrefix(RowKey(""));
  parts->upper_bound = parts->end;
  rocksdb::ReadOptions read;
  read.snapshot = moment_->get();
  read.iterate_upper_bound = &parts->upper_bound;
  read.fill_cache = false;  // reading everything once must not cost the queries their cache
  parts->rows.reset(column_->db()->NewIterator(read, column_->handle()));
  parts->rows->Seek(RowKey(""));
  return RowCursor(std::move(parts));
}

bool RowCursor::valid() const { return parts_->rows->Valid(); }
std::string_view RowCursor::key() const { return KeyOfRow(View(parts_->rows->key())); }
std::string_view RowCursor::value() const {
  return parts_->column->Folded(key(), View(parts_->rows->value()), parts_->folded);
}
void RowCursor::Next() { parts_->rows->Next(); }
absl::Status RowCursor::status() const { return FromRocks(parts_->rows->status(), "reading rows"); }

}  // namespace qinglan::projections
