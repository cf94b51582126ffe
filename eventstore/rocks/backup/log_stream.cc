#include "eventstore/rocks/backup/log_stream.h"

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <memory>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/backup/bulk_loader.h"
#include "eventstore/rocks/backup/key_files.h"
#include "eventstore/rocks/backup/restore_place.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/read/reader.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

using rocks::FrameKind;

constexpr size_t kChunkBytes = 1024 * 1024;  // of records, as a rule; one that is larger goes alone
constexpr size_t kReadAheadBytes = 2 * 1024 * 1024;

// Gathers records into frames.
class RecordFrames {
 public:
  explicit RecordFrames(rocks::FrameWriter& frames) : frames_(frames) {}

  absl::Status Add(Position last, std::string_view record) {
    rocks::AppendVarint(body_, last.value - previous_.value);
    rocks::AppendText(body_, record);
    previous_ = last;
    return body_.size() < kChunkBytes ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    if (body_.empty()) return absl::OkStatus();
    const absl::Status status = frames_.Write(FrameKind::kLog, body_);
    body_.clear();
    return status;
  }

 private:
  rocks::FrameWriter& frames_;
  std::string body_;
  Position previous_;
};

std::string EncodeHead(const LogStreamSummary& summary) {
  std::string body;
  rocks::AppendText(body, summary.store_id);
  rocks::AppendText(body, rocks::kMetaFormat);
  rocks::AppendVarint(body, summary.head.value);
  return body;
}

std::string EncodeCounts(const LogStreamSummary& summary) {
  std::string counts;
  rocks::AppendVarint(counts, summary.head.value);
  rocks::AppendVarint(counts, summary.commits);
  rocks::AppendVarint(counts, summary.key_files);
  return counts;
}

// Reads one stream into one place. Every DATA_LOSS that comes out of it has a position.
class StreamRestore {
 public:
  StreamRestore(const ByteSource& source, std::string directory, const BackupProgress& progress)
      : frames_(source), directory_(std::move(directory)), keys_(directory_ + "/keys"), progress_(progress) {}

  absl::StatusOr<LogStreamSummary> Run() {
    const absl::Status status = Read();
    if (status.ok()) return summary_;
    if (!absl::IsDataLoss(status) || Std(status.message()).starts_with("position")) return status;
    return DataLossError(Reached().Next(), Std(status.message()));
  }

 private:
  Position Reached() const { return loader_ == nullptr ? Position() : loader_->end().head; }
  absl::Status Damaged(std::string_view what) const {
    return DataLossError(Reached().Next(), fmt::format("the backup stream is damaged: {}", what));
  }

  absl::Status Read() {
    QL_ASSIGN_OR_RETURN(rocks::FrameReader::Frame frame, frames_.Next());
    if (frame.kind != FrameKind::kHead) return Damaged("it has no head");
    QL_RETURN_IF_ERROR(TakeHead(frame.body));
    for (;;) {
      QL_ASSIGN_OR_RETURN(frame, frames_.Next());
      if (frame.kind == FrameKind::kEnd) return TakeEnd(frame.body);
      if (frame.kind == FrameKind::kHead) return Damaged("it has a second head");
      if (frame.kind == FrameKind::kKeys) QL_RETURN_IF_ERROR(TakeKeys(frame.body));
      if (frame.kind == FrameKind::kLog) QL_RETURN_IF_ERROR(TakeRecords(frame.body));
    }
  }

  absl::Status TakeHead(std::string_view body) {
    rocks::Decoder head(body);
    summary_.store_id = head.Text();
    const std::string_view format = head.Text();
    summary_.head = Position(head.Varint());
    if (!head.ok() || !head.rest().empty()) return Damaged("its head does not parse");
    if (format != rocks::kMetaFormat) {
      return absl::FailedPreconditionError(
          fmt::format("the stream is of a store of format {}, this program's is {}", std::string(format),
                      rocks::kMetaFormat));
    }
    QL_ASSIGN_OR_RETURN(loader_, rocks::BulkLoader::Make(directory_ + "/log", summary_.store_id, {}));
    return absl::OkStatus();
  }

  absl::Status TakeRecords(std::string_view body) {
    if (has_keys_) return Damaged("records come after keys");
    if (body.empty()) return Damaged("a frame of records holds none");
    rocks::Decoder records(body);
    while (!records.rest().empty()) {
      const uint64_t events = records.Varint();
      const std::string_view record = records.Text();
      if (!records.ok() || events == 0 || events > kEventsPerCommitMax)
        return Damaged("a record does not parse");
      QL_RETURN_IF_ERROR(loader_->Add(Position(Reached().value + events), record));
      summary_.commits += 1;
    }
    if (progress_ && !progress_("load", Reached().value, summary_.head.value))
      return absl::CancelledError("stopped on request");
    return absl::OkStatus();
  }

  absl::Status TakeKeys(std::string_view body) {
    if (!std::exchange(has_keys_, true)) QL_RETURN_IF_ERROR(rocks::MakeDirectories(directory_ + "/keys"));
    return keys_.Take(body);
  }

  absl::Status TakeEnd(std::string_view body) {
    QL_RETURN_IF_ERROR(keys_.Finish());
    rocks::Decoder counts(body);
    const Position head(counts.Varint());
    const uint64_t commits = counts.Varint();
    summary_.key_files = counts.Varint();
    if (!counts.ok() || head != Reached() || head != summary_.head || commits != summary_.commits ||
        summary_.key_files != keys_.files()) {
      return Damaged("it is not complete");
    }
    QL_ASSIGN_OR_RETURN(const rocks::LogEnd end, loader_->Finish());
    summary_.head_recorded_at = end.recorded_at;
    return absl::OkStatus();
  }

  rocks::FrameReader frames_;
  const std::string directory_;
  rocks::KeyFilesReader keys_;
  const BackupProgress& progress_;
  LogStreamSummary summary_;
  std::unique_ptr<rocks::BulkLoader> loader_;
  bool has_keys_ = false;
};

}  // namespace

namespace rocks {

absl::Status ForEachRecord(const Database& database, Position head,
                           absl::FunctionRef<absl::Status(Position last, std::string_view record)> visit) {
  rocksdb::ReadOptions read = CheckedRead();
  read.fill_cache = false;
  read.readahead_size = kReadAheadBytes;
  const std::unique_ptr<rocksdb::Iterator> iterator(database.db()->NewIterator(read, database.log()));
  Position reached;
  for (iterator->SeekToFirst(); iterator->Valid() && reached < head; iterator->Next()) {
    if (iterator->key().size() != kPositionBytes)
      return DataLossError(reached.Next(), "a key of the log is no position");
    const Position last(LoadBig64(iterator->key().data()));
    QL_ASSIGN_OR_RETURN(const Record record, Record::Parse(last, AsView(iterator->value())));
    if (record.first() != reached.Next()) return DataLossError(reached.Next(), "the log has no record here");
    QL_RETURN_IF_ERROR(visit(last, AsView(iterator->value())));
    reached = last;
  }
  const absl::Status status = FromRocks(iterator->status(), "reading the log");
  if (absl::IsDataLoss(status)) return DataLossError(reached.Next(), Std(status.message()));
  if (!status.ok()) return status;
  return reached == head ? absl::OkStatus() : DataLossError(reached.Next(), "the log has no record here");
}

absl::StatusOr<LogStreamSummary> WriteLogStream(const Database& database, const std::string& keys_directory,
                                                const ByteSink& sink, const BackupProgress& progress) {
  LogStreamSummary summary;
  QL_ASSIGN_OR_RETURN(const LogEnd end, FindLogEnd(database));
  summary.store_id = database.store_id();
  summary.head = end.head;
  summary.head_recorded_at = end.recorded_at;
  FrameWriter frames(sink);
  QL_RETURN_IF_ERROR(frames.Write(FrameKind::kHead, EncodeHead(summary)));
  RecordFrames records(frames);
  constexpr uint64_t kProgressEvery = 4096;  // commits
  QL_RETURN_IF_ERROR(
      ForEachRecord(database, end.head, [&](Position last, std::string_view record) -> absl::Status {
        summary.commits += 1;
        if (summary.commits % kProgressEvery == 0 && progress &&
            !progress("stream", last.value, end.head.value))
          return absl::CancelledError("stopped on request");
        return records.Add(last, record);
      }));
  QL_RETURN_IF_ERROR(records.Flush());
  // After the log: each event in it that was sealed finds its key.
  if (!keys_directory.empty()) {
    QL_ASSIGN_OR_RETURN(summary.key_files, WriteKeyFiles(keys_directory, frames));
  }
  QL_RETURN_IF_ERROR(frames.End(EncodeCounts(summary)));
  return summary;
}

}  // namespace rocks

absl::StatusOr<LogStreamSummary> WriteLogStream(const RocksEventStore& store,
                                                const std::string& keys_directory, const ByteSink& sink,
                                                const BackupProgress& progress) {
  return rocks::WriteLogStream(store.database(), keys_directory, sink, progress);
}

absl::StatusOr<LogStreamSummary> RestoreLogStream(const ByteSource& source, const std::string& data,
                                                  const BackupProgress& progress) {
  QL_ASSIGN_OR_RETURN(rocks::RestorePlace place, rocks::RestorePlace::Take(data));
  QL_ASSIGN_OR_RETURN(const LogStreamSummary summary, StreamRestore(source, place.path(), progress).Run());
  QL_RETURN_IF_ERROR(place.Finish());
  return summary;
}

}  // namespace qinglan::eventstore
