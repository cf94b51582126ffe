// Events that were read, kept in memory one by one. A block that was read for one event holds some dozens,
// and a record its whole commit; what is wanted again is the one.
//
// They lie in RocksDB's block cache, whose bound is that of both, and are dropped after its data blocks. What
// is stored never changes, so nothing here grows old. The checksums were verified when the event was read.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/cache.h>

#include <string_view>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

// Thread-safe. The database must outlive it.
class EventCache {
 public:
  explicit EventCache(const Database& database) : cache_(database.cache()) {}

  // An event in the cache, or none. It stays there for as long as this lives.
  class Found {
   public:
    Found(rocksdb::Cache& cache, rocksdb::Cache::Handle* handle) : cache_(&cache), handle_(handle) {}
    Found(Found&& other) noexcept;
    Found& operator=(Found&&) = delete;
    ~Found();

    explicit operator bool() const { return handle_ != nullptr; }
    // Fills `event`, which is valid for as long as this lives.
    absl::Status Event(Position position, EventView& event) const;

   private:
    rocksdb::Cache* cache_;
    rocksdb::Cache::Handle* handle_;
  };

  Found Find(Position position) const;
  Found None() const { return Found(cache_, nullptr); }

  // Keeps `event`, whose stored bytes (type to payload) are `stored`, unless it is so large that many others
  // would have to go.
  void Keep(const EventView& event, std::string_view stored) const;

 private:
  rocksdb::Cache& cache_;
};

}  // namespace qinglan::eventstore::rocks
