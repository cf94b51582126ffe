// What a write of some events puts into RocksDB, by layout.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "eventstore/event_store.h"
#include "baseline/naive.pb.h"

namespace qinglan::baseline {

enum class Layout {
  kLog,      // ours: one key a commit, the record as our engine encodes it
  kTags,     // naive: a key an event, and one for each of its tags: 4 with three tags
  kIndexed,  // naive: as kTags, and one for its id and one for its type: 6 with three tags
};

// Positions follow on each other from `first`. Event keys are 8 bytes; a tag's or type's key is its text, a
// zero byte and the position; an id's key is its text, with the position as the value.
void AddTo(rocksdb::WriteBatch& batch, Layout layout, const eventstore::AppendRequest& request,
           uint64_t first);
void AddEventTo(rocksdb::WriteBatch& batch, Layout layout, const Event& event, uint64_t position);

Event ToProto(const eventstore::AppendRequest& request, int index);

// A database for a layout in a new directory: LZ4, 64 MiB write buffers, two background jobs; else as RocksDB
// comes.
std::unique_ptr<rocksdb::DB> OpenDatabase(const std::string& directory);

// Written and synced; ends the program when it is not, for then there is nothing to compare with.
void WriteSynced(rocksdb::DB& db, rocksdb::WriteBatch& batch);

}  // namespace qinglan::baseline
