#include "eventstore/rocks/index/index_file.h"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr std::string_view kFileSuffix = ".postings";

std::string IndexFilePath(const Database& database, Position end) {
  return fmt::format("{}/{}{}", database.db()->GetName(), end.value, kFileSuffix);
}

// The entries of one term: one a commit.
rocksdb::Status PutTerm(const Term& term, absl::Span<const Posting> postings, IndexEntries& entries) {
  for (size_t begin = 0, end = 0; begin < postings.size(); begin = end) {
    const Position last = postings[begin].last();
    while (end < postings.size() && postings[end].last() == last) ++end;
    if (auto status = entries.Put(term, last, postings.subspan(begin, end - begin)); !status.ok())
      return status;
  }
  return rocksdb::Status::OK();
}

// Every entry of the index in order of key.
rocksdb::Status PutAll(const MemoryIndex& memory, Position end, IndexEntries::PutEntry put) {
  IndexEntries entries(put);
  rocksdb::Status status = entries.PutReach(end);
  memory.ForEachTerm([&](const Term& term, absl::Span<const Posting> postings) {
    if (status.ok()) status = PutTerm(term, postings, entries);
  });
  return status;
}

rocksdb::Status WriteFile(const Database& database, const MemoryIndex& memory, Position end,
                          const std::string& path) {
  const rocksdb::Options options = database.db()->GetOptions(database.index());
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(options), options, database.index());
  if (auto status = file.Open(path); !status.ok()) return status;
  const auto put = [&](const auto& key, const auto& value) { return file.Put(key, value); };
  if (auto status = PutAll(memory, end, put); !status.ok()) return status;
  return file.Finish();
}

rocksdb::Status WriteAndIngest(Database& database, const MemoryIndex& memory, Position end) {
  const std::string path = IndexFilePath(database, end);
  rocksdb::Env* env = database.db()->GetEnv();
  rocksdb::Status status = WriteFile(database, memory, end, path);
  if (status.ok() && database.has_stopped()) status = rocksdb::Status::TryAgain("stopped meanwhile");
  if (status.ok()) status = database.Ingest(database.index(), {path});
  if (env->FileExists(path).ok()) (void)env->DeleteFile(path);
  return status;
}

// The way that is left when files cannot be ingested any more. One write goes into one memtable, which goes
// to disk whole. The write-ahead log has no part in it, as it has none in ingesting.
rocksdb::Status WriteThroughMemtable(Database& database, const MemoryIndex& memory, Position end) {
  rocksdb::WriteBatch batch;
  const auto put = [&](const auto& key, const auto& value) {
    return batch.Put(database.index(), key, value);
  };
  rocksdb::Status status = PutAll(memory, end, put);
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  if (status.ok()) status = database.db()->Write(unlogged, &batch);
  if (!status.ok()) return status;
  rocksdb::FlushOptions flush;
  flush.wait = false;
  flush.allow_write_stall = true;
  (void)database.db()->Flush(flush, database.index());  // what fails is tried again by RocksDB
  return status;
}

}  // namespace

rocksdb::Status IndexEntries::PutReach(Position end) { return put_(AsSlice(kIndexedKey), PositionKey(end)); }

rocksdb::Status IndexEntries::Put(const Term& term, Position last, absl::Span<const Posting> postings) {
  key_.assign(term.view());
  AppendBig64(key_, last.value);
  value_.clear();
  AppendPlaces(value_, term.kind(), postings);
  return put_(key_, value_);
}

absl::Status WriteIndexFile(Database& database, const MemoryIndex& memory, Position end) {
  return FromRocks(database.has_stopped() ? WriteThroughMemtable(database, memory, end)
                                          : WriteAndIngest(database, memory, end),
                   "writing the index");
}

absl::StatusOr<Position> ReadIndexedUpTo(const Database& database, const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions read = CheckedRead();
  read.snapshot = snapshot;
  std::string value;
  const rocksdb::Status found = database.db()->Get(read, database.index(), AsSlice(kIndexedKey), &value);
  if (found.IsNotFound()) return Position(0);
  QL_RETURN_IF_ERROR(FromRocks(found, "reading how far the index reaches"));
  if (value.size() != kPositionBytes) return absl::DataLossError("how far the index reaches does not parse");
  return Position(LoadBig64(value.data()));
}

absl::Status RemoveUnfinishedIndexFiles(const Database& database) {
  rocksdb::Env* env = database.db()->GetEnv();
  std::vector<std::string> names;
  QL_RETURN_IF_ERROR(FromRocks(env->GetChildren(database.db()->GetName(), &names), "listing the files"));
  for (const std::string& name : names) {
    if (!name.ends_with(kFileSuffix)) continue;
    QL_RETURN_IF_ERROR(
        FromRocks(env->DeleteFile(database.db()->GetName() + "/" + name), "removing an unfinished file"));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
