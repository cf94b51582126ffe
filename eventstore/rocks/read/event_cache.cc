#include "eventstore/rocks/read/event_cache.h"

#include <array>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "eventstore/rocks/format/record.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kKeptBytesMax = 16 * 1024;

// What is kept of an event: this, and behind it the texts in this order, and what is stored of the event
// alone. The fingerprint of its commit is not in it, for no reader is shown it.
struct Kept {
  int64_t recorded_at_us;
  uint32_t index_in_commit;
  std::array<uint32_t, 4> text_bytes;  // commit_id, actor, correlation_id, causation_id
  uint32_t stored_bytes;
};

// A block's key in the cache is longer.
struct Key {
  explicit Key(Position position) { std::memcpy(bytes, &position.value, sizeof(bytes)); }
  rocksdb::Slice slice() const { return {bytes, sizeof(bytes)}; }
  char bytes[sizeof(uint64_t)];
};

void Delete(const rocksdb::Slice&, void* kept) { delete[] static_cast<char*>(kept); }

}  // namespace

EventCache::Found::Found(Found&& other) noexcept
    : cache_(other.cache_), handle_(std::exchange(other.handle_, nullptr)) {}

EventCache::Found::~Found() {
  if (handle_ != nullptr) cache_->Release(handle_);
}

absl::Status EventCache::Found::Event(Position position, EventView& event) const {
  const char* at = static_cast<const char*>(cache_->Value(handle_));
  Kept kept;
  std::memcpy(&kept, at, sizeof(kept));
  at += sizeof(kept);
  const std::array<std::string_view*, 4> texts = {&event.commit_id, &event.actor, &event.correlation_id,
                                                  &event.causation_id};
  for (size_t i = 0; i < texts.size(); ++i) {
    *texts[i] = std::string_view(at, kept.text_bytes[i]);
    at += kept.text_bytes[i];
  }
  event.position = position;
  event.index_in_commit = kept.index_in_commit;
  event.recorded_at = absl::FromUnixMicros(kept.recorded_at_us);
  return DecodeStoredEvent(position, std::string_view(at, kept.stored_bytes), event);
}

EventCache::Found EventCache::Find(Position position) const {
  return Found(cache_, cache_.Lookup(Key(position).slice()));
}

void EventCache::Keep(const EventView& event, std::string_view stored) const {
  const std::array<std::string_view, 4> texts = {event.commit_id, event.actor, event.correlation_id,
                                                 event.causation_id};
  Kept kept{
      absl::ToUnixMicros(event.recorded_at), event.index_in_commit, {}, static_cast<uint32_t>(stored.size())};
  size_t bytes = sizeof(kept) + stored.size();
  for (size_t i = 0; i < texts.size(); ++i) {
    kept.text_bytes[i] = static_cast<uint32_t>(texts[i].size());
    bytes += texts[i].size();
  }
  if (bytes > kKeptBytesMax) return;
  std::unique_ptr<char[]> value(new char[bytes]);
  char* at = value.get();
  const auto add = [&at](const void* from, size_t size) {
    std::memcpy(at, from, size);
    at += size;
  };
  add(&kept, sizeof(kept));
  for (const std::string_view text : texts) add(text.data(), text.size());
  add(stored.data(), stored.size());
  // When it cannot be kept, the cache deletes it.
  (void)cache_.Insert(Key(event.position).slice(), value.release(), bytes, &Delete, nullptr,
                      rocksdb::Cache::Priority::HIGH);
}

}  // namespace qinglan::eventstore::rocks
