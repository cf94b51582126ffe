// What zstd needs to decompress a block, made once and kept.
//
// Every block of the log is compressed with the dictionary of its file. RocksDB 7.8 hands the dictionary's
// bytes to zstd with each block, and zstd builds its tables out of them each time, which takes longer than to
// decompress 4 KiB; and for each block of a MultiGet it makes a context of 100 KB or more. So programs are
// linked in such a way (CMakeLists.txt, --wrap) that these calls of RocksDB's come here. With a RocksDB that
// is a shared library nothing comes here: slower, and as right.
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
#include <vector>

struct ZSTD_DCtx_s;
struct ZSTD_DDict_s;

namespace qinglan::eventstore::rocks {

// Dictionaries with their tables. Thread-safe.
class Dictionaries {
 public:
  // At most so many are kept; a further one takes the place of the one that was used least lately.
  explicit Dictionaries(size_t kept_max) : kept_max_(kept_max) {}

  struct Digest {
    explicit Digest(std::string_view dictionary);
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    const std::string bytes;
    ZSTD_DDict_s* const tables;
    std::atomic<uint64_t> used = 0;
  };

  // That of `dictionary`, whose bytes are compared in full. Null when it has no tables: then there is nothing
  // to gain.
  std::shared_ptr<const Digest> Find(std::string_view dictionary);

  size_t size() const;

 private:
  std::shared_ptr<const Digest> Add(uint32_t id, std::string_view dictionary);

  const size_t kept_max_;
  std::atomic<uint64_t> uses_ = 0;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint32_t, std::shared_ptr<Digest>> kept_ ABSL_GUARDED_BY(mutex_);  // by zstd's own id
};

// Contexts that nobody uses at the moment. Thread-safe.
class Contexts {
 public:
  explicit Contexts(size_t kept_max) : kept_max_(kept_max) {}
  ~Contexts();

  // One that is as new, or null: then one has to be made.
  ZSTD_DCtx_s* Take();
  // False when there are enough: the context is still the caller's.
  [[nodiscard]] bool Keep(ZSTD_DCtx_s* context);

 private:
  const size_t kept_max_;
  absl::Mutex mutex_;
  std::vector<ZSTD_DCtx_s*> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::eventstore::rocks
