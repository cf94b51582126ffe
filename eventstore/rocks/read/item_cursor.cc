#include "eventstore/rocks/read/item_cursor.h"

#include <algorithm>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

rocksdb::ReadOptions WithinTerm() {
  rocksdb::ReadOptions read = CheckedRead();
  read.prefix_same_as_start = true;  // lets the term's filter answer for files that do not hold it
  return read;
}

bool ByPosition(const Place& a, const Place& b) { return a.position < b.position; }

template <class Keep>
void KeepIf(Places& places, Keep keep) {
  places.erase(std::remove_if(places.begin(), places.end(), [&](const Place& place) { return !keep(place); }),
               places.end());
}

bool SamePosition(const Place& a, const Place& b) { return a.position == b.position; }

}  // namespace

TermCursor::TermCursor(const Database& database, const Term& term, Direction direction)
    : term_(term),
      direction_(direction),
      iterator_(database.db()->NewIterator(WithinTerm(), database.index())) {}

absl::Status TermCursor::Seek(Position last) {
  if (valid_ && !Before(last_, last, direction_)) return absl::OkStatus();
  const std::string key = PostingKey(term_, last);
  if (direction_ == Direction::kForwards) {
    iterator_->Seek(key);
  } else {
    iterator_->SeekForPrev(key);
  }
  return Settle(last);
}

absl::Status TermCursor::Next() {
  if (direction_ == Direction::kForwards) {
    iterator_->Next();
  } else {
    iterator_->Prev();
  }
  return Settle(last_);
}

absl::Status TermCursor::Settle(Position near) {
  valid_ = false;
  if (!iterator_->Valid()) {
    const absl::Status status = FromRocks(iterator_->status(), "reading the index");
    return absl::IsDataLoss(status) ? DataLossError(near, Std(status.message())) : status;
  }
  const std::string_view key = AsView(iterator_->key());
  if (!key.starts_with(term_.view())) return absl::OkStatus();
  if (key.size() != kPostingKeyBytes) return DataLossError(near, "a key of the index does not parse");
  valid_ = true;
  last_ = Position(LoadBig64(key.data() + kTermBytes));
  return absl::OkStatus();
}

absl::Status TermCursor::Decode(Places& places) const {
  if (DecodePlaces(term_.kind(), AsView(iterator_->value()), last_, places)) return absl::OkStatus();
  return DataLossError(last_, "a posting does not parse");
}

ItemCursor::ItemCursor(const Database& database, const QueryItem& item, Direction direction)
    : direction_(direction), all_(!item.tags.empty()) {
  QL_CHECK(!item.tags.empty() || !item.types.empty(), "an item without terms is read from the log");
  for (const std::string& tag : item.tags)
    terms_.emplace_back(database, Term::Of(TermKind::kTag, tag), direction);
  for (const std::string& type : item.types) {
    if (all_) {
      type_hashes_.push_back(TypeHash(type));
    } else {
      terms_.emplace_back(database, Term::Of(TermKind::kType, type), direction);
    }
  }
}

absl::Status ItemCursor::Seek(Position last) {
  for (TermCursor& term : terms_) QL_RETURN_IF_ERROR(term.Seek(last));
  return Settle();
}

absl::Status ItemCursor::Next() {
  for (TermCursor& term : terms_) {
    if (term.valid() && term.last() == last_) QL_RETURN_IF_ERROR(term.Next());
  }
  return Settle();
}

absl::Status ItemCursor::Settle() { return all_ ? SettleAll() : SettleAny(); }

absl::Status ItemCursor::SettleAny() {
  valid_ = false;
  places_.clear();
  for (const TermCursor& term : terms_) {
    if (term.valid() && (!valid_ || Before(term.last(), last_, direction_))) {
      valid_ = true;
      last_ = term.last();
    }
  }
  for (const TermCursor& term : terms_) {
    if (term.valid() && term.last() == last_) QL_RETURN_IF_ERROR(term.Decode(places_));
  }
  std::sort(places_.begin(), places_.end(), ByPosition);
  places_.erase(std::unique(places_.begin(), places_.end(), SamePosition), places_.end());
  return absl::OkStatus();
}

absl::Status ItemCursor::SettleAll() {
  while (true) {
    QL_RETURN_IF_ERROR(Align());
    if (!valid_) return absl::OkStatus();
    QL_RETURN_IF_ERROR(Intersect());
    if (!places_.empty()) return absl::OkStatus();
    QL_RETURN_IF_ERROR(terms_.front().Next());
  }
}

absl::Status ItemCursor::Align() {
  valid_ = false;
  if (!terms_.front().valid()) return absl::OkStatus();
  Position target = terms_.front().last();
  for (size_t agreed = 1, i = 1 % terms_.size(); agreed < terms_.size(); i = (i + 1) % terms_.size()) {
    QL_RETURN_IF_ERROR(terms_[i].Seek(target));
    if (!terms_[i].valid()) return absl::OkStatus();
    agreed = terms_[i].last() == target ? agreed + 1 : 1;
    target = terms_[i].last();
  }
  valid_ = true;
  last_ = target;
  return absl::OkStatus();
}

absl::Status ItemCursor::Intersect() {
  places_.clear();
  QL_RETURN_IF_ERROR(terms_.front().Decode(places_));
  for (size_t i = 1; i < terms_.size() && !places_.empty(); ++i) {
    Places other;
    QL_RETURN_IF_ERROR(terms_[i].Decode(other));
    KeepIf(places_, [&](const Place& place) {
      return std::binary_search(other.begin(), other.end(), place, ByPosition);
    });
  }
  if (type_hashes_.empty()) return absl::OkStatus();
  KeepIf(places_, [&](const Place& place) {
    return std::find(type_hashes_.begin(), type_hashes_.end(), place.type_hash) != type_hashes_.end();
  });
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
