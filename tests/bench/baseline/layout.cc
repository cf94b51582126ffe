#include "tests/bench/baseline/layout.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"

namespace qinglan::baseline {
namespace {

constexpr size_t kWriteBufferBytes = 64 * 1024 * 1024;

std::string Key(uint64_t position) { return eventstore::rocks::PositionKey(eventstore::Position(position)); }

std::string IndexKey(const std::string& text, uint64_t position) {
  std::string key = text;
  key += '\0';
  key += Key(position);
  return key;
}

}  // namespace

Event ToProto(const eventstore::AppendRequest& request, int index) {
  const eventstore::NewEvent& from = request.events[static_cast<size_t>(index)];
  Event event;
  event.set_id(fmt::format("{}#{}", request.commit_id, index));
  event.set_type(from.type);
  for (const std::string& tag : from.tags) event.add_tags(tag);
  event.set_payload(from.payload);
  event.set_recorded_at_micros(absl::ToUnixMicros(absl::Now()));
  return event;
}

void AddEventTo(rocksdb::WriteBatch& batch, Layout layout, const Event& event, uint64_t position) {
  (void)batch.Put(Key(position), event.SerializeAsString());
  for (const std::string& tag : event.tags()) (void)batch.Put(IndexKey(tag, position), "");
  if (layout != Layout::kIndexed) return;
  (void)batch.Put(event.id(), Key(position));
  (void)batch.Put(IndexKey(event.type(), position), "");
}

void AddTo(rocksdb::WriteBatch& batch, Layout layout, const eventstore::AppendRequest& request,
           uint64_t first) {
  if (layout == Layout::kLog) {
    const eventstore::Position last(first + request.events.size() - 1);
    (void)batch.Put(Key(last.value), eventstore::rocks::EncodeRecord(request, last, absl::Now()));
    return;
  }
  for (size_t i = 0; i < request.events.size(); ++i)
    AddEventTo(batch, layout, ToProto(request, static_cast<int>(i)), first + i);
}

std::unique_ptr<rocksdb::DB> OpenDatabase(const std::string& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  rocksdb::DB* db = nullptr;
  if (const rocksdb::Status status = rocksdb::DB::Open(options, directory, &db); !status.ok()) {
    fmt::print(stderr, "baseline: {}\n", status.ToString());
    std::exit(1);
  }
  return std::unique_ptr<rocksdb::DB>(db);
}

void WriteSynced(rocksdb::DB& db, rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (const rocksdb::Status status = db.Write(synced, &batch); !status.ok()) {
    fmt::print(stderr, "baseline: {}\n", status.ToString());
    std::exit(1);
  }
}

}  // namespace qinglan::baseline
