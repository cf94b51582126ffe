#include "projections/view_store/storage/pieces.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "projections/view_store/storage/format.h"
#include "projections/view_store/storage/threads.h"

namespace qinglan::projections {
namespace {

// More than threads, so that all have something to do to the end.
constexpr size_t kRangesPerThread = 8;

// Keys that cut what is in the column into about so many ranges of one size, in order: where its files begin,
// which the batches that wrote them have spread evenly.
std::vector<std::string> CutsBetweenFiles(const ViewColumn& column, size_t ranges) {
  rocksdb::ColumnFamilyMetaData build;
  column.db()->GetColumnFamilyMetaData(column.handle(), &build);
  std::vector<std::string> begins;
  for (const rocksdb::LevelMetaData& level : build.levels)
    for (const rocksdb::SstFileMetaData& file : level.files) begins.push_back(file.smallestkey);
  std::sort(begins.begin(), begins.end());
  std::vector<std::string> cuts;
  for (size_t i = 1; i < ranges && !begins.empty(); ++i) {
    std::string& cut = begins[begins.size() * i / ranges];
    if (cut > begins.front() && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
  }
  return cuts;
}

// Files of whole rows on their way, one after the other.
class WholeFiles {
 public:
  WholeFiles(const ViewColumn& build, std::string prefix)
      : build_(build), prefix_(std::move(prefix)), options_(build.db()->GetOptions(build.handle())) {}

  rocksdb::Status Put(const rocksdb::Slice& key, const rocksdb::Slice& value) {
    if (file_ == nullptr) {
      paths_.push_back(fmt::format("{}.{}{}", prefix_, paths_.size(), kIncomingExtension));
      file_ =
          std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(options_), options_, build_.handle());
      if (const rocksdb::Status opened = file_->Open(paths_.back()); !opened.ok()) return opened;
    }
    if (const rocksdb::Status put = file_->Put(key, value); !put.ok()) return put;
    return file_->FileSize() < options_.target_file_size_base ? rocksdb::Status::OK() : Finish();
  }
  rocksdb::Status Finish() {
    if (file_ == nullptr) return rocksdb::Status::OK();
    const rocksdb::Status finished = file_->Finish();
    file_.reset();
    return finished;
  }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  const ViewColumn& build_;
  const std::string prefix_;
  const rocksdb::Options options_;
  std::unique_ptr<rocksdb::SstFileWriter> file_;
  std::vector<std::string> paths_;
};

// Those from `from` on, up to `to` if there is such a key.
absl::Status WriteRange(const ViewColumn& pieces, const std::string& from, const std::string* to,
                        const EndWish& ended, WholeFiles& files) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  rocksdb::Slice end;
  if (to != nullptr) end = *to, read.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> rows(pieces.db()->NewIterator(read, pieces.handle()));
  for (rows->Seek(from); rows->Valid(); rows->Next()) {
    if (ended) return absl::CancelledError("putting rows together was ended");
    QL_RETURN_IF_ERROR(FromRocks(files.Put(rows->key(), rows->value()), "a file of whole rows"));
  }
  QL_RETURN_IF_ERROR(FromRocks(rows->status(), "reading pieces of rows"));
  return FromRocks(files.Finish(), "a file of whole rows");
}

}  // namespace

absl::Status WriteWhole(const ViewColumn& pieces, const ViewColumn& build, const std::string& prefix,
                        size_t threads, const EndWish& ended, std::vector<std::string>& paths) {
  const std::vector<std::string> cuts = CutsBetweenFiles(pieces, kRangesPerThread * threads);
  std::vector<std::unique_ptr<WholeFiles>> ranges;
  for (size_t i = 0; i <= cuts.size(); ++i)
    ranges.push_back(std::make_unique<WholeFiles>(build, fmt::format("{}.{}", prefix, i)));
  const absl::Status written = EachOnSomeThread(ranges.size(), threads, [&](size_t i) {
    return WriteRange(pieces, i == 0 ? std::string() : cuts[i - 1], i < cuts.size() ? &cuts[i] : nullptr,
                      ended, *ranges[i]);
  });
  for (const auto& range : ranges) paths.insert(paths.end(), range->paths().begin(), range->paths().end());
  return written;
}

absl::Status TakeIn(const ViewColumn& column, const std::vector<std::string>& paths) {
  rocksdb::IngestExternalFileOptions move;
  move.move_files = true;
  const absl::Status taken_in =
      FromRocks(column.db()->IngestExternalFile(column.handle(), paths, move), "take rows in");
  RemoveFiles(paths);
  return taken_in;
}

void RemoveFiles(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) std::remove(path.c_str());
}

}  // namespace qinglan::projections
