// What a generation of a backup says of itself: a JSON file that checks its own bytes.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"

namespace qinglan::eventstore {

struct BackupFile {
  std::string path;  // below the data directory it is restored to: "log/000012.sst", "keys"
  std::string pool;  // the file of the pool that holds its bytes; generations share those
  uint64_t bytes = 0;
  std::string hash;  // XXH3 of 128 bits, hexadecimal
};

struct BackupManifest {
  uint64_t generation = 0;  // from 1, one more for each backup of the directory
  std::string store_id;
  std::string store_format;                            // of eventstore/README.md's bytes
  Position head;                                       // the last event that is in it
  absl::Time head_recorded_at = absl::InfinitePast();  // InfinitePast when the log is empty
  absl::Time made_at;                                  // every event recorded until then is in it
  std::string tool;                                    // what wrote it, and with which RocksDB
  std::string merkle_root;                             // of the tree over the log up to head, hexadecimal
  uint64_t key_files = 0;                              // of persons, in the file with the path "keys"
  // Who made it had no keys: another process has them, and they are to be kept by other means.
  bool keys_elsewhere = false;
  std::vector<BackupFile> files;

  uint64_t bytes() const;
};

std::string RenderManifest(const BackupManifest& manifest);
// DATA_LOSS when the text is not, byte for byte, what RenderManifest() made; FAILED_PRECONDITION for a later
// version's.
absl::StatusOr<BackupManifest> ParseManifest(std::string_view text);

// "2026-11-25T10:00:00.123456Z", and back.
std::string InstantText(absl::Time time);
absl::StatusOr<absl::Time> ParseInstant(std::string_view text);

}  // namespace qinglan::eventstore
