// Keeps the sorted files that a manifest may name.
//
// RocksDB 7.8 writes a record that names a new file into its manifest and syncs it. When that sync fails it
// takes the file back and deletes it, although the record may be on the disk all the same: then no start
// finds the file, and the store does not open again. So from such a failure on no sorted file is deleted,
// until another manifest took this one's place, which names only what there is; what nobody names is removed
// by RocksDB at its next start.
#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace qinglan::eventstore::rocks {

// An environment over `env`, which must outlive it. Thread-safe, as `env` is.
std::unique_ptr<rocksdb::Env> GuardManifest(rocksdb::Env& env);

}  // namespace qinglan::eventstore::rocks
