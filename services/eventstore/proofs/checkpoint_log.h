// The checkpoints that were signed, in a file that only grows: what was signed once is kept for ever.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qinglan::proofs {

struct SignedCheckpoint {
  uint64_t size = 0;  // of the tree
  std::string note;
  absl::Time signed_at;  // in microseconds
};

// One line of JSON a checkpoint, in order of size:
//   {"size":12,"signed_at":"2026-11-25T08:00:00.000001Z","note":"..."}
// A line that a crash cut short was shown to nobody and is dropped when the file is opened. Keeps 16 bytes of
// memory a checkpoint. Thread-safe.
class CheckpointLog {
 public:
  // The file is made when it is not there. DATA_LOSS names the line that is no checkpoint or out of order;
  // UNAVAILABLE when the disk fails.
  static absl::StatusOr<std::unique_ptr<CheckpointLog>> Open(std::string path);
  ~CheckpointLog();
  CheckpointLog(const CheckpointLog&) = delete;
  CheckpointLog& operator=(const CheckpointLog&) = delete;

  // On stable storage when it returns. The size is larger than the last one's.
  [[nodiscard]] absl::Status Append(const SignedCheckpoint& checkpoint);

  // At most `limit` with a size past `after_size`, ascending.
  [[nodiscard]] absl::StatusOr<std::vector<SignedCheckpoint>> Read(uint64_t after_size, size_t limit) const;
  [[nodiscard]] absl::StatusOr<std::optional<SignedCheckpoint>> Last() const;

 private:
  struct Entry {
    uint64_t size = 0;
    uint64_t offset = 0;  // of its line
  };

  CheckpointLog(std::string path, int file) : path_(std::move(path)), file_(file) {}
  absl::Status Load();
  absl::StatusOr<SignedCheckpoint> ReadAt(size_t entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const int file_;
  mutable absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace qinglan::proofs
