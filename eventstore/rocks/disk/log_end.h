// Where a write-ahead log ends that a crash left behind.
//
// Its file is prepared with zeros some way ahead (prepared_logs.h), so neither the file's length nor what
// RocksDB makes of zeros tells. Each write is one record of RocksDB's, in one or more pieces, and is synced
// before the next begins: so only the last record can be torn, and a disk that did not get to a sector of it
// has left zeros there.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string_view>

namespace qinglan::eventstore::rocks {

inline constexpr uint64_t kLogBlockBytes = 32 * 1024;  // no piece of a record reaches over a multiple of it

// In bytes from the file's begin.
struct WalEnd {
  // Where the last whole record ends. What comes behind it, zeros or a write that was cut short, was never
  // acknowledged.
  uint64_t records = 0;
  // How far it was written, as far as that can be told: behind `records` when a record was begun whose pieces
  // are whole but not all there. What the manifest has noted of a log's size may be this much.
  uint64_t written = 0;
};

// Finds the end of the log.
//
// DATA_LOSS, naming `file`, when a piece is damaged and is not the last write cut short: a whole record comes
// behind it, no sector of it is missing, or it is whole with another length than it says. Not told from a
// torn write: damage to the last record of all, when that has a sector of zeros by nature.
//
// `window` is the file from `window_at`, a multiple of kLogBlockBytes, to its end, and holds the last record
// and the one before it.
absl::StatusOr<WalEnd> EndOfLog(std::string_view window, uint64_t window_at, std::string_view file);

// Whether the record at the front of `rest`, whose length is not to be trusted, is whole with another one:
// its checksum covers its bytes and not its length. `rest` ends where the block or the file does.
bool IsWholeWithAnotherLength(std::string_view rest);

}  // namespace qinglan::eventstore::rocks
