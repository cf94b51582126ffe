// Puts a generation of a backup back, whole or cut off at a position.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/rocks/backup/backup_directory.h"
#include "eventstore/rocks/backup/files.h"

namespace qinglan::eventstore {

struct RestoreOptions {
  std::string
      data;  // the directory to make: log/, keys/ and checkpoints below it; must not be there, or be empty
  std::optional<uint64_t> generation;  // default: the newest
  // Only the log up to here: to the last commit that ends at or before the position, or was recorded at or
  // before the instant. At most one of the two.
  std::optional<Position> to_position;
  std::optional<absl::Time> to_instant;
};

struct RestoredBackup {
  BackupManifest manifest;
  Position head;  // of the log that was restored
};

// Makes options.data: first under that name with ".partial" behind it, which takes its place once all is
// there, checked and synced, so that whatever bears the name is whole. What a killed restore left is made
// anew. Whole generations are copied file by file, each one's hash checked; of one that is cut off the
// records are loaded anew, each one checked, and what was signed of the longer log is left out. The keys are
// those of the generation, not of the time that it is cut off at: a person who was erased since stays so. The
// restored log is opened, and its store, its head and the root of its Merkle tree are compared with the
// manifest. Phases: "restore", in bytes; "load", in events. Errors:
//   FAILED_PRECONDITION  something is in options.data
//   NOT_FOUND            there is no such generation
//   OUT_OF_RANGE         the generation ends before the position or the instant, or begins after it
//   DATA_LOSS            a file of the backup is missing or damaged; the message names it
//   RESOURCE_EXHAUSTED   the target's disk is full
//   CANCELLED, UNAVAILABLE as ever. Then nothing is left, unless the process was killed.
absl::StatusOr<RestoredBackup> RestoreBackup(const BackupDirectory& backups, const RestoreOptions& options,
                                             const BackupProgress& progress);

namespace rocks {

// OK when `copied`, read from the pool, is what the manifest says of the file; else DATA_LOSS, or the error
// that it is.
absl::Status CheckCopy(const BackupFile& file, const absl::StatusOr<Copied>& copied);

// What a log says of itself.
struct LogIdentity {
  std::string store_id;
  Position head;
  absl::Time recorded_at;
  std::string merkle_root;  // over all of it, hexadecimal
};

// What a log says of itself against what the manifest says of it, in words; none when they agree.
std::vector<std::string> Differences(const BackupManifest& manifest, const LogIdentity& log);

// Makes a directory in which the generation's log can be opened for reading: names for the files of the pool.
absl::Status LinkLog(const BackupDirectory& backups, const BackupManifest& manifest,
                     const std::string& directory);

}  // namespace rocks
}  // namespace qinglan::eventstore
