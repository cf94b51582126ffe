#include "eventstore/rocks/index/index_file.h"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>

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
rocksdb::Status PutTerm(const Term& term, absl::Span<const Posting> postings, rocksdb::SstFileWriter& file) {
  for (size_t begin = 0, end = 0; begin < postings.size(); begin = end) {
    const Position last = postings[begin].last();
    while (end < postings.size() && postings[end].last() == last) ++end;
    const std::string value = EncodePlaces(term.kind(), postings.subspan(begin, end - begin));
    if (auto status = file.Put(PostingKey(term, last), value); !status.ok()) return status;
  }
  return rocksdb::Status::OK();
}

rocksdb::Status WriteFile(const Database& database, const MemoryIndex& memory, Position end,
                          const std::string& path) {
  const rocksdb::Options options = database.db()->GetOptions(database.index());
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(options), options, database.index());
  if (auto status = file.Open(path); !status.ok()) return status;
  std::string up_to;
  AppendBig64(up_to, end.value);
  if (auto status = file.Put(AsSlice(kIndexedKey), up_to); !status.ok()) return status;
  rocksdb::Status status;
  memory.ForEachTerm([&](const Term& term, absl::Span<const Posting> postings) {
    if (status.ok()) status = PutTerm(term, postings, file);
  });
  return status.ok() ? file.Finish() : status;
}

}  // namespace

absl::Status WriteIndexFile(Database& database, const MemoryIndex& memory, Position end) {
  const std::string path = IndexFilePath(database, end);
  rocksdb::Env* env = database.db()->GetEnv();
  rocksdb::Status status = WriteFile(database, memory, end, path);
  if (status.ok()) {
    rocksdb::IngestExternalFileOptions ingest;
    ingest.move_files = true;
    ingest.failed_move_fall_back_to_copy = false;
    status = database.db()->IngestExternalFile(database.index(), {path}, ingest);
  }
  if (env->FileExists(path).ok()) (void)env->DeleteFile(path);
  return FromRocks(status, "writing the index");
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
