// A directory of backups: its generations, and the pool of files that they share. The layout is in
// eventstore/README.md.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/rocks/backup/files.h"
#include "eventstore/rocks/backup/manifest.h"

namespace qinglan::eventstore {

inline constexpr size_t kBackupsKeptMax = 1000;

struct BackupGeneration {
  uint64_t number = 0;
  absl::StatusOr<BackupManifest> manifest;  // DATA_LOSS when it is damaged, FAILED_PRECONDITION when it is a
                                            // later version's
  std::optional<absl::Time> verified_at;    // when a trial restore last found it sound; none when the note
                                            // of it is damaged, or of another manifest
  bool kept = false;                        // by Keep()
};

// A status of its manifest that says which generation's it is.
absl::Status InGeneration(uint64_t generation, const absl::Status& status);

// Thread-safe for reading; whoever writes holds it alone.
class BackupDirectory {
 public:
  // For the one who adds and removes generations; makes the directory when it is not there.
  // FAILED_PRECONDITION while another process reads or writes it, or when something else is in it.
  static absl::StatusOr<std::unique_ptr<BackupDirectory>> OpenForWriting(const std::string& path);
  // For whoever restores: many may at once. For whoever verifies: alone. NOT_FOUND when there is no such
  // directory; FAILED_PRECONDITION as above.
  static absl::StatusOr<std::unique_ptr<BackupDirectory>> OpenExisting(const std::string& path, bool alone);
  // Its generations, oldest first, whoever is at work on them. NOT_FOUND when there is no such directory.
  static absl::StatusOr<std::vector<BackupGeneration>> Peek(const std::string& path);

  const std::string& path() const { return path_; }
  std::string PoolPath(const std::string& pool) const { return path_ + "/files/" + pool; }

  // Oldest first.
  absl::StatusOr<std::vector<BackupGeneration>> List() const;
  // NOT_FOUND when there is none; DATA_LOSS when its manifest is damaged.
  absl::StatusOr<BackupManifest> Find(uint64_t generation) const;
  // The newest one; NOT_FOUND when there is none at all, DATA_LOSS when it is damaged.
  absl::StatusOr<BackupManifest> Newest() const;

  // Makes a generation count, without any mark: its files must be in the pool and synced.
  absl::Status Add(const BackupManifest& manifest);
  // Notes when a trial restore found it sound; nothing: that one found it is not.
  absl::Status MarkVerified(uint64_t generation, std::optional<absl::Time> when);
  // Lets no purge remove it: no later generation is known to continue its log. Until somebody removes the
  // mark.
  absl::Status Keep(uint64_t generation);
  // Takes that mark back.
  absl::Status Release(uint64_t generation);
  // Removes all but the newest `keep` (at least 1), those that Keep() marked, and the files that none of the
  // rest needs. Returns how many generations went.
  absl::StatusOr<size_t> Purge(size_t keep);
  // Removes from the pool what no generation needs, such as what a killed backup left there. Leaves the pool
  // as it is while a manifest is damaged: it would have said what it needs.
  absl::Status RemoveUnneeded();

 private:
  BackupDirectory(std::string path, rocks::SharedDirectoryLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string ManifestPath(uint64_t generation) const;
  std::string VerifiedPath(uint64_t generation) const;
  std::string KeptPath(uint64_t generation) const;
  absl::StatusOr<std::vector<uint64_t>> Numbers() const;
  BackupGeneration Load(uint64_t number) const;

  const std::string path_;
  const rocks::SharedDirectoryLock lock_;
};

}  // namespace qinglan::eventstore
