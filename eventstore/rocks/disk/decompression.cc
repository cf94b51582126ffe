#include "eventstore/rocks/disk/decompression.h"

#include <zstd.h>

#include <algorithm>

// The linker's names: __real_ is what zstd offers, __wrap_ (below) what RocksDB calls.
extern "C" {
ZSTD_DCtx* __real_ZSTD_createDCtx();
size_t __real_ZSTD_freeDCtx(ZSTD_DCtx* context);
size_t __real_ZSTD_decompress_usingDict(ZSTD_DCtx* context, void* to, size_t to_bytes, const void* from,
                                        size_t from_bytes, const void* dictionary, size_t dictionary_bytes);
}

namespace qinglan::eventstore::rocks {
namespace {

// Some 60 KB each. A file of the log has 64 MiB, so it is enough for all that are read at a time.
constexpr size_t kDictionariesMax = 256;
// RocksDB keeps one for each core, which is taken while a MultiGet is at its next block.
constexpr size_t kContextsMax = 32;

// Those of this process. They stay until its end, for RocksDB gives contexts back when statics are destroyed.
Dictionaries& ProcessDictionaries() {
  static auto& dictionaries = *new Dictionaries(kDictionariesMax);
  return dictionaries;
}

Contexts& ProcessContexts() {
  static auto& contexts = *new Contexts(kContextsMax);
  return contexts;
}

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
  if (added->tables == nullptr) return nullptr;  // no memory, or no dictionary: zstd will say which
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

Contexts::~Contexts() {
  for (ZSTD_DCtx* context : kept_) __real_ZSTD_freeDCtx(context);
}

ZSTD_DCtx* Contexts::Take() {
  const absl::MutexLock lock(&mutex_);
  if (kept_.empty()) return nullptr;
  ZSTD_DCtx* context = kept_.back();
  kept_.pop_back();
  return context;
}

bool Contexts::Keep(ZSTD_DCtx* context) {
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  const absl::MutexLock lock(&mutex_);
  if (kept_.size() >= kept_max_) return false;
  kept_.push_back(context);
  return true;
}

}  // namespace qinglan::eventstore::rocks

extern "C" {

ZSTD_DCtx* __wrap_ZSTD_createDCtx() {
  ZSTD_DCtx* kept = qinglan::eventstore::rocks::ProcessContexts().Take();
  return kept != nullptr ? kept : __real_ZSTD_createDCtx();
}

size_t __wrap_ZSTD_freeDCtx(ZSTD_DCtx* context) {
  if (context != nullptr && qinglan::eventstore::rocks::ProcessContexts().Keep(context)) return 0;
  return __real_ZSTD_freeDCtx(context);
}

size_t __wrap_ZSTD_decompress_usingDict(ZSTD_DCtx* context, void* to, size_t to_bytes, const void* from,
                                        size_t from_bytes, const void* dictionary, size_t dictionary_bytes) {
  if (dictionary_bytes > 0) {
    const auto digest = qinglan::eventstore::rocks::ProcessDictionaries().Find(
        {static_cast<const char*>(dictionary), dictionary_bytes});
    if (digest != nullptr) {
      return ZSTD_decompress_usingDDict(context, to, to_bytes, from, from_bytes, digest->tables);
    }
  }
  return __real_ZSTD_decompress_usingDict(context, to, to_bytes, from, from_bytes, dictionary,
                                          dictionary_bytes);
}

}  // extern "C"
