// A build as it was at one moment: rows and position belong together.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "projections/view_store/view_id.h"

namespace qinglan::projections {

using RowVisitor =
    absl::FunctionRef<bool(std::string_view key, std::string_view value)>;  // false ends the scan

struct ScanOptions {
  std::string prefix;  // only keys that begin so
  std::string after;   // and come after this one; empty: from the first
  size_t limit = SIZE_MAX;
};

// Steps through the rows of a snapshot in order of their keys. Must not outlive it.
class RowCursor {
 public:
  RowCursor(RowCursor&&) noexcept;
  ~RowCursor();

  bool valid() const;  // false at the end, and when reading failed
  std::string_view key() const;
  std::string_view value() const;
  void Next();
  [[nodiscard]] absl::Status status() const;  // DATA_LOSS, UNAVAILABLE

 private:
  friend class ViewSnapshot;
  struct Parts;
  explicit RowCursor(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

class ViewColumn;
class SharedMoment;

// Belongs to one thread at a time. May outlive the dropping of its build, not the store.
class ViewSnapshot {
 public:
  ViewSnapshot(ViewSnapshot&&) noexcept;
  ViewSnapshot& operator=(ViewSnapshot&&) noexcept;
  ~ViewSnapshot();

  const ViewId& view() const { return view_; }
  eventstore::Position position() const { return checkpoint_.position; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // DATA_LOSS when what is stored is damaged, here and below: the view must be built again.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const;
  // Rows in order of their keys. True when the scan ended because there was no further row, false when the
  // limit or the visitor ended it.
  [[nodiscard]] absl::StatusOr<bool> Scan(const ScanOptions& options, RowVisitor visit) const;
  RowCursor Rows() const;  // all of them

 private:
  friend class ViewStore;
  ViewSnapshot(ViewId view, std::shared_ptr<SharedMoment> moment, std::shared_ptr<ViewColumn> column,
               Checkpoint checkpoint);

  ViewId view_;
  std::shared_ptr<ViewColumn> column_;
  std::shared_ptr<SharedMoment>
      moment_;  // after the column, so that it is released while the database is open
  Checkpoint checkpoint_;
};

}  // namespace qinglan::projections
