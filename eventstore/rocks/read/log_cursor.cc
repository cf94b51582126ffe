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
// A scan that has gone so far is likely to go on, and worth a thread.
constexpr size_t kAheadFromStep = 1'000;

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
    : way_(way), iterator_(database.db()->NewIterator(ReadFor(way), database.log())) {}

absl::Status LogCursor::Load(Position expected) {
  if (!iterator_->Valid()) return NoneAt(expected, iterator_->status());
  return Take(expected, AsView(iterator_->key()), AsView(iterator_->value()));
}

absl::Status LogCursor::NoneAt(Position expected, const rocksdb::Status& why) {
  record_.reset();
  const absl::Status status = FromRocks(why, "reading the log");
  return absl::IsDataLoss(status) ? DataLossError(expected, Std(status.message())) : status;
}

absl::Status LogCursor::Take(Position expected, std::string_view key, std::string_view value) {
  record_.reset();
  if (key.size() != kPositionBytes) return DataLossError(expected, "a key of the log is no position");
  QL_ASSIGN_OR_RETURN(record_, Record::Parse(Position(LoadBig64(key.data())), value));
  return absl::OkStatus();
}

absl::Status LogCursor::Step(Position expected) {
  if (ahead_ == nullptr) {
    iterator_->Next();
    if (way_ == Way::kShort || ++steps_ != kAheadFromStep || !iterator_->Valid()) return Load(expected);
    ahead_ = ReadAhead::Start(iterator_);
    if (ahead_ == nullptr) return Load(expected);  // and so on to the end, in its own time
  }
  const auto entry = ahead_->Next();
  return entry.has_value() ? Take(expected, entry->key, entry->value) : NoneAt(expected, ahead_->status());
}

absl::Status LogCursor::SeekContaining(Position position) {
  QL_CHECK(ahead_ == nullptr, "a long way has one direction");
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
  QL_RETURN_IF_ERROR(Step(expected));
  if (valid() && record_->first() != expected) {
    record_.reset();
    return DataLossError(expected, "the log has no record here");
  }
  return absl::OkStatus();
}

absl::Status LogCursor::Prev() {
  QL_CHECK(ahead_ == nullptr, "a long way has one direction");
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
