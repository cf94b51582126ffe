#include "eventstore/rocks/read/log_cursor.h"

#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kReadAheadBytes = 1024 * 1024;

rocksdb::ReadOptions ReadFor(LogCursor::Way way) {
  rocksdb::ReadOptions read = CheckedRead();
  if (way == LogCursor::Way::kLong) {
    read.fill_cache = false;
    read.readahead_size = kReadAheadBytes;
  }
  return read;
}

}  // namespace

LogCursor::LogCursor(const Database& database, Way way)
    : iterator_(database.db()->NewIterator(ReadFor(way), database.log())) {}

absl::Status LogCursor::Load(Position expected) {
  record_.reset();
  if (!iterator_->Valid()) {
    const absl::Status status = FromRocks(iterator_->status(), "reading the log");
    return absl::IsDataLoss(status) ? DataLossError(expected, Std(status.message())) : status;
  }
  if (iterator_->key().size() != kPositionBytes)
    return DataLossError(expected, "a key of the log is no position");
  const Position last(LoadBig64(iterator_->key().data()));
  QL_ASSIGN_OR_RETURN(record_, Record::Parse(last, AsView(iterator_->value())));
  return absl::OkStatus();
}

absl::Status LogCursor::SeekContaining(Position position) {
  iterator_->Seek(PositionKey(position));
  QL_RETURN_IF_ERROR(Load(position));
  if (!valid() || !record_->Contains(position)) {
    record_.reset();
    return DataLossError(position, "the log has no record here");
  }
  return absl::OkStatus();
}

absl::Status LogCursor::Next() {
  const Position expected = record_->last().Next();
  iterator_->Next();
  QL_RETURN_IF_ERROR(Load(expected));
  if (valid() && record_->first() != expected) {
    record_.reset();
    return DataLossError(expected, "the log has no record here");
  }
  return absl::OkStatus();
}

absl::Status LogCursor::Prev() {
  const Position expected(record_->first().value - 1);
  iterator_->Prev();
  QL_RETURN_IF_ERROR(Load(expected));
  if (valid() ? record_->last() != expected : expected != Position(0)) {
    record_.reset();
    return DataLossError(expected, "the log has no record here");
  }
  return absl::OkStatus();
}

absl::Status LogCursor::SeekToLast() {
  iterator_->SeekToLast();
  return Load(Position(0));
}

}  // namespace qinglan::eventstore::rocks
