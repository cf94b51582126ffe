// Where the views live: one RocksDB for all of them, a column family for each version of each view. A batch
// of rows and the view's checkpoint (the log position they are the fold of) are written together or not at
// all, so that an event's effect is stored exactly once, whenever the process dies. Views can always be made
// again from the log, so a write is not synced: a power failure may take the newest batches, rows and
// checkpoint alike, and the runner reads those events again.
//
// Thread-safe, but for PendingBatch and ViewSnapshot, which belong to one thread at a time. Both may outlive
// DropView(), neither may outlive the store.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "projections/projection.h"

namespace qinglan::projections {

struct ViewId {
  std::string name;
  uint32_t version = 0;

  std::string ToString() const;  // "roster.v3"
  auto operator<=>(const ViewId&) const = default;
};

// How far a view has come. The last event that it applied is kept by name as well, so that a view is never
// continued over a log that tells another story.
struct Checkpoint {
  eventstore::Position position;      // every event up to here is in the rows
  eventstore::Position last_applied;  // 0: none yet
  std::string last_event_id;

  bool operator==(const Checkpoint&) const = default;
};

using RowVisitor =
    absl::FunctionRef<bool(std::string_view key, std::string_view value)>;  // false ends the scan

struct ScanOptions {
  std::string prefix;  // only keys that begin so
  std::string after;   // and come after this one; empty: from the first
  size_t limit = SIZE_MAX;
};

class ViewColumn;  // an open column family

// A view as it was at one moment: rows and position belong together.
class ViewSnapshot {
 public:
  ViewSnapshot(ViewSnapshot&&) noexcept;
  ViewSnapshot& operator=(ViewSnapshot&&) noexcept;
  ~ViewSnapshot();

  eventstore::Position position() const { return checkpoint_.position; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // DATA_LOSS when what is stored is damaged, here and below: the view must be dropped and made again.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const;
  // Rows in order of their keys. True when the scan ended because there was no further row, false when the
  // limit or the visitor ended it.
  [[nodiscard]] absl::StatusOr<bool> Scan(const ScanOptions& options, RowVisitor visit) const;

 private:
  friend class ViewStore;
  struct Pinned;
  ViewSnapshot(std::unique_ptr<Pinned> pinned, Checkpoint checkpoint);

  std::unique_ptr<Pinned> pinned_;
  Checkpoint checkpoint_;
};

// Rows on their way into one view. Thrown away, it has changed nothing.
class PendingBatch final : public ViewBatch {
 public:
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;

  size_t rows() const { return rows_.size(); }

 private:
  friend class ViewStore;
  explicit PendingBatch(std::shared_ptr<ViewColumn> column) : column_(std::move(column)) {}

  std::shared_ptr<ViewColumn> column_;
  std::map<std::string, std::optional<std::string>, std::less<>> rows_;  // nothing: deleted
};

class ViewStore {
 public:
  struct Options {
    std::string directory;
    size_t block_cache_bytes = size_t{64} << 20;
    size_t write_buffer_bytes = size_t{32} << 20;
  };

  // UNAVAILABLE when the folder is in use or cannot be written; DATA_LOSS when it is damaged.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ViewStore>> Open(const Options& options);
  ~ViewStore();
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  // Makes the view when it is new and tells how far it has come. INVALID_ARGUMENT when the name is not
  // lower_snake_case.
  [[nodiscard]] absl::StatusOr<Checkpoint> OpenView(const ViewId& view);
  // Every stored version of every view, in order.
  std::vector<ViewId> Views() const;
  // Forgets all rows of one version. NOT_FOUND when there is none.
  [[nodiscard]] absl::Status DropView(const ViewId& view);

  // NOT_FOUND when the view has not been opened, here and below.
  [[nodiscard]] absl::StatusOr<PendingBatch> Begin(const ViewId& view) const;
  // Stores the rows and the checkpoint together; what is read from here on sees both. UNAVAILABLE when the
  // disk fails: then neither is stored. The checkpoint must not go back.
  [[nodiscard]] absl::Status Commit(PendingBatch batch, const Checkpoint& checkpoint);
  [[nodiscard]] absl::StatusOr<ViewSnapshot> Snapshot(const ViewId& view) const;

 private:
  struct Database;
  explicit ViewStore(std::unique_ptr<Database> database);

  absl::StatusOr<std::shared_ptr<ViewColumn>> Find(const ViewId& view) const;

  std::unique_ptr<Database> database_;
};

}  // namespace qinglan::projections
