#include "eventstore/rocks/read/records.h"

#include <string>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {

void Records::Fetch(absl::Span<const Position> lasts, Blocks blocks) {
  rocksdb::ReadOptions read = CheckedRead();
  read.fill_cache = blocks == Blocks::kKept;
  lasts_.assign(lasts.begin(), lasts.end());
  values_ = std::vector<rocksdb::PinnableSlice>(lasts.size());
  statuses_.assign(lasts.size(), rocksdb::Status());
  if (lasts.size() == 1) {
    statuses_[0] = database_.db()->Get(read, database_.log(), PositionKey(lasts[0]), &values_[0]);
    return;
  }
  std::vector<std::string> keys;
  keys.reserve(lasts.size());
  for (const Position last : lasts) keys.push_back(PositionKey(last));
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  database_.db()->MultiGet(read, database_.log(), slices.size(), slices.data(), values_.data(),
                           statuses_.data(), /*sorted_input=*/true);
}

absl::StatusOr<Record> Records::At(size_t i) const {
  const Position last = lasts_[i];
  if (statuses_[i].IsNotFound()) return DataLossError(last, "the index names a record that is not there");
  if (const absl::Status status = FromRocks(statuses_[i], "reading the log"); !status.ok()) {
    return absl::IsDataLoss(status) ? DataLossError(last, Std(status.message())) : status;
  }
  return Record::Parse(last, AsView(values_[i]));
}

}  // namespace qinglan::eventstore::rocks
