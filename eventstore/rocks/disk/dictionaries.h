// Dictionaries of compressed files, made ready for use once.
//
// Every block of the log is compressed with the dictionary of its file. RocksDB 7.8 hands the dictionary's
// bytes to zstd with each block, and zstd builds its tables out of them each time: that takes longer than to
// decompress a block of 4 KiB. So the program is linked in such a way (CMakeLists.txt, --wrap) that RocksDB's
// call comes here, where the tables are kept. With a RocksDB that is a shared library nothing comes here:
// slower, and as right.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ZSTD_DDict_s;

namespace qinglan::eventstore::rocks {

// Thread-safe.
class Dictionaries {
 public:
  // At most so many are kept; a further one takes the place of the one that was used least lately.
  explicit Dictionaries(size_t kept_max) : kept_max_(kept_max) {}

  // A dictionary with its tables.
  struct Digest {
    explicit Digest(std::string_view dictionary);
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    const std::string bytes;
    ZSTD_DDict_s* const tables;
    std::atomic<uint64_t> used = 0;
  };

  // That of `dictionary`, whose bytes are compared in full. Null when it has no tables: then nothing is gained.
  std::shared_ptr<const Digest> Find(std::string_view dictionary);

  size_t size() const;

 private:
  std::shared_ptr<const Digest> Add(uint32_t id, std::string_view dictionary);

  const size_t kept_max_;
  std::atomic<uint64_t> uses_ = 0;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint32_t, std::shared_ptr<Digest>> kept_ ABSL_GUARDED_BY(mutex_);  // by zstd's own id
};

// Those of this process.
Dictionaries& ProcessDictionaries();

}  // namespace qinglan::eventstore::rocks
