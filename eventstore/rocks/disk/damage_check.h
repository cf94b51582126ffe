// Damage that RocksDB would pass over in silence when it opens a database: looked for before it does.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rocksdb/env.h>

#include <string>
#include <string_view>

#include "eventstore/rocks/disk/prepared_logs.h"

namespace qinglan::eventstore::rocks {

// RocksDB takes a last record that says it is longer than what is left of the file for a write that a crash
// cut short, and drops it and all behind it in silence. That is right for a write that was cut short; but a
// length that was damaged looks the same, and what it drops was acknowledged.
//
// DATA_LOSS when `last_block`, what a manifest (of the format of write-ahead logs) holds from the last
// multiple of kLogBlockBytes on, has such a record. What RocksDB notices itself is left to it.
absl::Status CheckManifestTail(std::string_view last_block, std::string_view file);

// Where each write-ahead log ends. DATA_LOSS when one is damaged near its end, or a manifest has such a tail,
// or when there are files of data and CURRENT, which names the manifest, is gone: RocksDB would make a new
// database and delete them. Reads the last 16 MiB of each log at most.
absl::StatusOr<WalEnds> CheckFilesBeforeOpening(rocksdb::Env& env, const std::string& directory);

}  // namespace qinglan::eventstore::rocks
