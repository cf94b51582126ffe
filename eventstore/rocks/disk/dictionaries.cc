#include "eventstore/rocks/disk/dictionaries.h"

#include <zstd.h>

#include <algorithm>

namespace qinglan::eventstore::rocks {
namespace {

// Some 60 KB each. A file of the log has 64 MiB or more, so it is enough for all that are read at a time.
constexpr size_t kDictionariesMax = 256;

}  // namespace

Dictionaries::Digest::Digest(std::string_view dictionary)
    : bytes(dictionary), tables(ZSTD_createDDict(bytes.data(), bytes.size())) {}

Dictionaries::Digest::~Digest() { ZSTD_freeDDict(tables); }

std::shared_ptr<const Dictionaries::Digest> Dictionaries::Find(std::string_view dictionary) {
  const uint32_t id = ZSTD_getDictID_fromDict(dictionary.data(), dictionary.size());
  if (id == 0) return nullptr;  // bytes that are only pointed to
  {
    const absl::ReaderMutexLock lock(&mutex_);
    const auto found = kept_.find(id);
    if (found != kept_.end() && found->second->bytes == dictionary) {
      // As of the last addition, so that threads at one file do not write here all the time.
      if (const uint64_t now = uses_; found->second->used != now) found->second->used = now;
      return found->second;
    }
  }
  return Add(id, dictionary);
}

std::shared_ptr<const Dictionaries::Digest> Dictionaries::Add(uint32_t id, std::string_view dictionary) {
  auto added = std::make_shared<Digest>(dictionary);
  if (added->tables == nullptr) return nullptr;  // no memory, or no dictionary: zstd says which
  added->used = ++uses_;
  const absl::MutexLock lock(&mutex_);
  if (kept_.size() >= kept_max_ && !kept_.contains(id)) {
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& one, const auto& other) {
      return one.second->used < other.second->used;
    }));
  }
  kept_[id] = added;
  return added;
}

size_t Dictionaries::size() const {
  const absl::ReaderMutexLock lock(&mutex_);
  return kept_.size();
}

Dictionaries& ProcessDictionaries() {
  static auto& dictionaries = *new Dictionaries(kDictionariesMax);  // RocksDB's threads may outlive statics
  return dictionaries;
}

}  // namespace qinglan::eventstore::rocks

// The linker's names for what RocksDB calls, and for what zstd offers.
extern "C" size_t __real_ZSTD_decompress_usingDict(ZSTD_DCtx* context, void* to, size_t to_bytes,
                                                   const void* from, size_t from_bytes,
                                                   const void* dictionary, size_t dictionary_bytes);
extern "C" size_t __wrap_ZSTD_decompress_usingDict(ZSTD_DCtx* context, void* to, size_t to_bytes,
                                                   const void* from, size_t from_bytes,
                                                   const void* dictionary, size_t dictionary_bytes) {
  using qinglan::eventstore::rocks::ProcessDictionaries;
  if (dictionary_bytes > 0) {
    if (const auto ready =
            ProcessDictionaries().Find({static_cast<const char*>(dictionary), dictionary_bytes})) {
      return ZSTD_decompress_usingDDict(context, to, to_bytes, from, from_bytes, ready->tables);
    }
  }
  return __real_ZSTD_decompress_usingDict(context, to, to_bytes, from, from_bytes, dictionary,
                                          dictionary_bytes);
}
