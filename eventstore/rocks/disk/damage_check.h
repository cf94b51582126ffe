// Damage that RocksDB would pass over in silence when it opens a database: looked for before it does.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace qinglan::eventstore::rocks {

// RocksDB takes a last record that says it is longer than what is left of the file for a write that a crash
// cut short, and drops it and all behind it in silence. That is right for a write that was cut short; but a
// length that was damaged looks the same, and what it drops was acknowledged. The record's checksum covers
// its bytes and not its length: when it fits any shorter length, all of the record is there.
//
// DATA_LOSS when `last_block`, what the file holds from the last multiple of kWalBlockBytes on, has such a
// record. What RocksDB notices itself is left to it.
inline constexpr uint64_t kWalBlockBytes = 32 * 1024;
absl::Status CheckWalTail(std::string_view last_block, std::string_view file);

// DATA_LOSS when a write-ahead log or a manifest (they have one format) has such a tail, or when there are
// files of data and CURRENT, which names the manifest, is gone: RocksDB would make a new database and delete
// them. Reads some kilobytes a file.
absl::Status CheckFilesBeforeOpening(rocksdb::Env& env, const std::string& directory);

}  // namespace qinglan::eventstore::rocks
