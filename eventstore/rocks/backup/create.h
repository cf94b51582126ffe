// Makes a backup of a store that is open, while it takes appends.
//
// What is copied is a checkpoint: hard links to the database's files as they are at one instant, beside the
// store's own directory and on its file system, so that nothing the store does meanwhile matters. The keys of
// persons are copied after the checkpoint was made: each event in it that was sealed finds its key in them,
// unless its person was erased meanwhile. What was signed of the log is copied before: none of it speaks of
// events that the copy does not have.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <string>

#include "eventstore/rocks/backup/backup_directory.h"
#include "eventstore/rocks/backup/files.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::eventstore {

struct CreateBackupOptions {
  // Of persons' keys that nobody writes meanwhile; may be missing: there are none. Neither this nor
  // copy_keys: they are elsewhere, and the manifest says so.
  std::string keys_directory;
  std::string checkpoints_file;  // the log's signed checkpoints; may be missing: none was signed
  // Copies the keys that are being written into a directory, which it makes; in place of keys_directory.
  std::function<absl::Status(const std::string& directory)> copy_keys;
  uint64_t bytes_per_second_max = 0;  // of copying; 0: as fast as it goes
  bool diverged = false;              // also when the log does not continue the newest generation's, or
                                      // that cannot be told
  absl::Time now = absl::Now();
};

struct CreatedBackup {
  BackupManifest manifest;
  uint64_t files_copied = 0;  // the others were in the pool
  uint64_t bytes_copied = 0;
};

// Adds a generation, and it counts from the return on, or not at all. Phases: "checkpoint", "copy". Errors:
//   RESOURCE_EXHAUSTED  the directory's disk is full; what was copied is removed again
//   CANCELLED           `progress` said so; likewise
//   FAILED_PRECONDITION the newest generation is of another store, or the log does not continue that
//                       generation's: it is shorter, or another from some position on, or that manifest is
//                       damaged and nobody can tell. Told to back it up all the same (`diverged`), what is
//                       left behind is kept from every purge. Also when a manifest is a later version's.
//   DATA_LOSS           the store's files could not be read as they were written
//   UNAVAILABLE         any other failure of a disk, of a manifest's among them
absl::StatusOr<CreatedBackup> CreateBackup(const RocksEventStore& store, BackupDirectory& backups,
                                           const CreateBackupOptions& options,
                                           const BackupProgress& progress);

}  // namespace qinglan::eventstore
