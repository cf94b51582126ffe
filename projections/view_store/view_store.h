// Where the views live: one RocksDB for all of them, a column family for each build of each view. A batch of
// rows and the build's checkpoint (the log position they are the fold of) are written together or not at all,
// so that an event's effect is stored exactly once, whenever the process dies. Views can always be made again
// from the log, so a write is not synced: a power failure may take the newest batches, rows and checkpoint
// alike, and the runner reads those events again. Which build answers for a view is on stable storage when
// Answer() returns.
//
// Thread-safe, but for what it hands out, which belongs to one thread at a time.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/view_store/batch.h"
#include "projections/view_store/bulk.h"
#include "projections/view_store/snapshot.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

// What shall become of a build on its way.
enum class WhenThere {
  kStay,    // beside whatever answers
  kAnswer,  // as soon as it has caught up with the log
  kDrop,    // made for a comparison: gone after it, and after a crash with the next start
};

// Estimates, from what the database keeps count of: what was appended to a row counts as one more until it is
// put together with the row.
struct ViewSize {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // on disk and in write buffers
};

class ViewStore {
 public:
  struct Options {
    std::string directory;
    size_t block_cache_bytes = size_t{64} << 20;
    size_t write_buffer_bytes = size_t{32} << 20;
    RowFolds folds;  // of all views that rows are appended to; FoldsOf()
  };
  struct Pending {
    PendingBatch batch;
    Checkpoint checkpoint;
  };

  // UNAVAILABLE when the folder is in use or cannot be written; DATA_LOSS when it is damaged.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ViewStore>> Open(const Options& options);
  ~ViewStore();
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  // Makes the build when it is new and tells how far it has come, in rows or in pieces (IsInPieces()).
  // INVALID_ARGUMENT when the name is not lower_snake_case.
  [[nodiscard]] absl::StatusOr<Checkpoint> OpenView(const ViewId& view);
  // Makes a new build; what shall become of it is on stable storage before the build is.
  [[nodiscard]] absl::Status MakeView(const ViewId& view, WhenThere when_there);
  // Every stored build, in order.
  std::vector<ViewId> Views() const;
  // Forgets all rows of a build. NOT_FOUND when there is none; FAILED_PRECONDITION when it answers.
  [[nodiscard]] absl::Status DropView(const ViewId& view);
  RowFold FoldOf(const ViewId& view) const;  // as it was opened with; null: none
  [[nodiscard]] absl::StatusOr<ViewSize> Size(const ViewId& view) const;

  // Which build answers for the view; none before the first is there.
  std::optional<ViewId> Answering(std::string_view name) const;
  // From now on this build does: one atomic, synced write. It is on its way no longer. FAILED_PRECONDITION
  // while it is in pieces.
  [[nodiscard]] absl::Status Answer(const ViewId& view);
  // What is asked of a build that is on its way, kept over restarts; nothing: it has arrived.
  [[nodiscard]] absl::Status SetWhenThere(const ViewId& view, std::optional<WhenThere> when_there);
  [[nodiscard]] absl::StatusOr<std::optional<WhenThere>> GetWhenThere(const ViewId& view) const;

  // NOT_FOUND when the build has not been opened, here and below.
  [[nodiscard]] absl::StatusOr<PendingBatch> Begin(const ViewId& view) const;
  // Stores the rows and the checkpoint together; what is read from here on sees both. UNAVAILABLE when the
  // disk fails: then neither is seen, but both may have been stored all the same and come back when
  // Recover() has opened the database anew: read the checkpoint again. The checkpoint must not go back.
  [[nodiscard]] absl::Status Commit(PendingBatch batch, const Checkpoint& checkpoint);
  // The same for several builds, all of them or none.
  [[nodiscard]] absl::Status CommitTogether(const std::vector<Pending>& commits);

  [[nodiscard]] absl::StatusOr<ViewSnapshot> Snapshot(const ViewId& view) const;
  // Of one and the same moment.
  [[nodiscard]] absl::StatusOr<std::vector<ViewSnapshot>> Snapshots(const std::vector<ViewId>& views) const;

  // For the making of a build from many events at once; see bulk.h.
  [[nodiscard]] absl::StatusOr<BulkBatch> BeginBulk(const ViewId& view) const;
  // Takes in the rows of all these batches of one build, which have no key in common, and in the same step
  // the checkpoint; on stable storage when it returns. The batches are empty afterwards and may be filled
  // again. UNAVAILABLE, DATA_LOSS, or CANCELLED, as soon as somebody sets `ended`: nothing was stored, the
  // batches are as they were. Many rows are written by so many threads. A build that has no rows yet, and of
  // which more comes, is in pieces from then on.
  [[nodiscard]] absl::Status Ingest(const std::vector<BulkBatch*>& batches, const Checkpoint& checkpoint,
                                    size_t threads = 1, MoreComes more_comes = MoreComes::kNo,
                                    const std::atomic<bool>& ended = kNeverEnded);
  // Whether the build has come as far as OpenView() says in pieces only: it has no rows, and Begin() is
  // FAILED_PRECONDITION, until they are put together. UNAVAILABLE while the database is opened anew.
  [[nodiscard]] absl::StatusOr<bool> IsInPieces(const ViewId& view) const;
  // Makes the rows of a build that is in pieces, all of them in one step, by so many threads; of another it
  // does nothing. UNAVAILABLE, DATA_LOSS, or CANCELLED, as soon as somebody sets `ended`: it is in pieces
  // still, and may be tried again. No batch of it may be used afterwards.
  [[nodiscard]] absl::Status PutTogether(const ViewId& view, size_t threads,
                                         const std::atomic<bool>& ended = kNeverEnded);

  // Whether Recover() has something to do.
  bool MustRecover() const;
  // After a commit was UNAVAILABLE: opens the database anew when it has stopped taking writes (waiting for
  // readers to be through, while new ones are UNAVAILABLE). UNAVAILABLE when that failed; try
  // again later. No batch may be held.
  [[nodiscard]] absl::Status Recover();

 private:
  static const std::atomic<bool> kNeverEnded;
  struct Parts;
  explicit ViewStore(std::unique_ptr<Parts> parts);

  absl::StatusOr<std::shared_ptr<ViewColumn>> Find(const ViewId& view) const;
  // Null: it is not in pieces.
  absl::StatusOr<std::shared_ptr<ViewColumn>> FindPieces(const ViewId& view) const;
  absl::Status DropPieces(const ViewId& view) const;
  std::shared_ptr<BulkMemory> Memory() const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan::projections
