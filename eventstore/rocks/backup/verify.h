// Checks a generation of a backup by putting it back.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/rocks/backup/backup_directory.h"
#include "eventstore/rocks/backup/files.h"
#include "eventstore/rocks/fsck.h"

namespace qinglan::eventstore {

struct VerifiedBackup {
  BackupManifest manifest;
  FsckReport fsck;                    // of the trial restore; not filled when there was none
  uint64_t sealed_texts = 0;          // that are in its log
  bool keys_elsewhere = false;        // and nobody said where: none was looked for
  std::vector<std::string> problems;  // every one that was found; a damaged file's name is in it
  // All of them are of the keys that were given: they are no part of the generation, and say nothing of it.
  bool only_given_keys = false;
  bool sound() const { return problems.empty(); }
};

// Where a trial restore goes when nobody says otherwise: beside the files that it is made from.
std::string TrialDirectory(const BackupDirectory& backups);

// Checks each file's hash, then restores the generation on trial into `scratch`, goes through the restored
// log with fsck, which holds the signed checkpoints against it, compares store id, head and time with the
// manifest, and holds each sealed text of the log against the restored key files: the key that it is under is
// among them, or that it was destroyed. It takes no master key, so whether keys and texts open is left to
// `keys check`. The keys of a generation without any are taken from `keys_directory`, which may be in use;
// when that is empty and the manifest says that they are elsewhere, none is looked for. Some 70 bytes of
// memory a person.
//
// `scratch` is made and removed again; what a killed check left there is removed first. A generation that is
// not sound is no error. The verdict is noted in the directory of backups, where that can be written; none
// when only the keys that were given are at fault: others may be the right ones. Phases:
// "verify", "restore", and fsck's. Errors: NOT_FOUND for the generation, FAILED_PRECONDITION when keys are
// given to one that has its own, RESOURCE_EXHAUSTED when there is no room for the trial, CANCELLED,
// UNAVAILABLE.
absl::StatusOr<VerifiedBackup> VerifyBackup(BackupDirectory& backups, uint64_t generation,
                                            const std::string& scratch, const BackupProgress& progress,
                                            const std::string& keys_directory = "");

}  // namespace qinglan::eventstore
