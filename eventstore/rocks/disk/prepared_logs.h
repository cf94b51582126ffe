// A file system in which write-ahead logs are written over zeros. A sync of a file that grows writes its
// bytes and then where it ends; over zeros that are on the disk already it writes the bytes alone, which
// takes about half as long.
#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "eventstore/rocks/disk/log_end.h"

namespace qinglan::eventstore::rocks {

// So many zeros are laid ahead, whenever a small write reaches the end of those that were there.
inline constexpr uint64_t kPreparedBytes = 256 * 1024;
// What is larger goes to the end of the file as ever: its bytes are most of what its sync costs.
inline constexpr uint64_t kSmallWriteBytes = 16 * 1024;

// Where each write-ahead log ends that is there already, by the path of its file: what its zeros hide. The
// others end where their files do.
using WalEnds = std::map<std::string, WalEnd>;

// On top of the file system of `env`, which it shares. A log seems to end where what was written to it does:
// to whoever asks for its size, and to whoever reads one of `ends`. Closed, it is cut there.
std::unique_ptr<rocksdb::Env> PrepareLogs(rocksdb::Env& env, const WalEnds& ends);

}  // namespace qinglan::eventstore::rocks
