// The checkpoints that were signed, in a file that only grows: what was signed once is kept for ever.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/transparency/checkpoint_file.h"
#include "eventstore/transparency/key.h"

namespace qinglan::proofs {

using eventstore::transparency::KeptCheckpoint;
using eventstore::transparency::SignedCheckpoint;

// Keeps 24 bytes of memory a checkpoint. Thread-safe.
class CheckpointLog {
 public:
  // The file is made when it is not there, and is this object's alone while it lives: FAILED_PRECONDITION
  // when another has it, in this process or another, or when its checkpoints are of a log with another name
  // than the key's. A line whose writing a crash cut short was shown to nobody; it is cut off, which is
  // logged, and its bytes are kept in the file `<path>.torn`. Any other byte that is not as it was written is
  // DATA_LOSS, with the file and the line. `key` verifies the last line and those that no checksum vouches
  // for, as far as it is the one that signed: what an earlier key has signed is known by its checksum alone.
  // Nothing is changed before all that is known. UNAVAILABLE when the disk fails.
  static absl::StatusOr<std::unique_ptr<CheckpointLog>> Open(
      std::string path, const eventstore::transparency::VerifierKey& key);
  ~CheckpointLog();
  CheckpointLog(const CheckpointLog&) = delete;
  CheckpointLog& operator=(const CheckpointLog&) = delete;

  // On stable storage when it returns. FAILED_PRECONDITION unless it is larger than the last one;
  // UNAVAILABLE when the disk fails: then it is not kept.
  [[nodiscard]] absl::Status Append(const SignedCheckpoint& checkpoint);

  // At most `limit` with a size past `after_size`, ascending. DATA_LOSS when the file has changed meanwhile.
  [[nodiscard]] absl::StatusOr<std::vector<SignedCheckpoint>> Read(uint64_t after_size, size_t limit) const;
  [[nodiscard]] absl::StatusOr<std::optional<KeptCheckpoint>> Last() const;

 private:
  struct Entry {
    uint64_t size = 0;
    uint64_t offset = 0;  // of its line
    eventstore::transparency::LineSum sum = eventstore::transparency::LineSum::kOfNone;
  };

  CheckpointLog(std::string path, int file) : path_(std::move(path)), file_(file) {}
  absl::Status Load(const eventstore::transparency::VerifierKey& key);
  absl::Status Mend(const eventstore::transparency::CheckpointFileEnd& end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status KeepTorn(const eventstore::transparency::CheckpointFileEnd& end) const;
  absl::Status Verify(size_t first, const eventstore::transparency::VerifierKey& key) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<KeptCheckpoint> ReadAt(size_t entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  eventstore::transparency::LineSum SumBefore(size_t entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const int file_;
  mutable absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string missing_ ABSL_GUARDED_BY(mutex_);  // of the last line's end, until it is mended
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // nobody knows what is behind the end
};

}  // namespace qinglan::proofs
