#include "eventstore/rocks/read/item_cursor.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

bool ByPosition(const Place& a, const Place& b) { return a.position < b.position; }

template <class Keep>
void KeepIf(Places& places, Keep keep) {
  places.erase(std::remove_if(places.begin(), places.end(), [&](const Place& place) { return !keep(place); }),
               places.end());
}

bool SamePosition(const Place& a, const Place& b) { return a.position == b.position; }

}  // namespace

TermCursor::~TermCursor() {
  if (iterator_ != nullptr) view_->iterators->Return(std::move(iterator_));
}

absl::Status TermCursor::Seek(Position last) {
  if (valid_ && !Before(last_, last, direction_)) return absl::OkStatus();
  valid_ = false;
  if (direction_ == Direction::kForwards) {
    if (last <= view_->on_disk) QL_RETURN_IF_ERROR(SeekDisk(last));
    if (!valid_) SeekMemory(last);
    return absl::OkStatus();
  }
  if (last > view_->on_disk) SeekMemory(last);
  return valid_ ? absl::OkStatus() : SeekDisk(std::min(last, view_->on_disk));
}

absl::Status TermCursor::Next() {
  if (on_disk_) {
    const Position passed = last_;
    if (direction_ == Direction::kForwards) {
      iterator_->Next();
    } else {
      iterator_->Prev();
    }
    QL_RETURN_IF_ERROR(SettleOnDisk(passed));
    if (!valid_ && direction_ == Direction::kForwards) SeekMemory(passed.Next());
    return absl::OkStatus();
  }
  if (direction_ == Direction::kForwards ? end_ < copied_.size() : begin_ > 0) {
    (direction_ == Direction::kForwards ? begin_ : end_) = direction_ == Direction::kForwards ? end_ : begin_;
    SettleInMemory();
    return absl::OkStatus();
  }
  valid_ = false;
  return Seek(direction_ == Direction::kForwards ? last_.Next() : Position(last_.value - 1));
}

absl::Status TermCursor::SeekDisk(Position last) {
  if (view_->on_disk == Position(0)) return absl::OkStatus();
  if (iterator_ == nullptr) iterator_ = view_->iterators->Take();
  const std::string key = PostingKey(term_, last);
  if (direction_ == Direction::kForwards) {
    iterator_->Seek(key);
  } else {
    iterator_->SeekForPrev(key);
  }
  return SettleOnDisk(last);
}

absl::Status TermCursor::SettleOnDisk(Position near) {
  valid_ = false;
  if (!iterator_->Valid()) {
    const absl::Status status = FromRocks(iterator_->status(), "reading the index");
    return absl::IsDataLoss(status) ? DataLossError(near, Std(status.message())) : status;
  }
  const std::string_view key = AsView(iterator_->key());
  if (!key.starts_with(term_.view())) return absl::OkStatus();
  if (key.size() != kPostingKeyBytes) return DataLossError(near, "a key of the index does not parse");
  last_ = Position(LoadBig64(key.data() + kTermBytes));
  // The iterator may be newer than the view, which has the rest in memory.
  valid_ = last_ <= view_->on_disk;
  on_disk_ = valid_;
  return absl::OkStatus();
}

void TermCursor::SeekMemory(Position last) {
  const MemoryIndex* first = view_->older.get();
  const MemoryIndex* second = wants_newest_ ? view_->newest.get() : nullptr;
  if (direction_ == Direction::kBackwards) std::swap(first, second);
  copied_.clear();
  if (first != nullptr) first->Copy(term_, last, direction_, copied_);
  if (copied_.empty() && second != nullptr) second->Copy(term_, last, direction_, copied_);
  if (copied_.empty()) return;
  begin_ = 0;
  end_ = copied_.size();
  SettleInMemory();
}

void TermCursor::SettleInMemory() {
  if (direction_ == Direction::kForwards) {
    last_ = copied_[begin_].last();
    for (end_ = begin_; end_ < copied_.size() && copied_[end_].last() == last_;) ++end_;
  } else {
    last_ = copied_[end_ - 1].last();
    for (begin_ = end_; begin_ > 0 && copied_[begin_ - 1].last() == last_;) --begin_;
  }
  valid_ = true;
  on_disk_ = false;
}

absl::Status TermCursor::Decode(Places& places) const {
  if (!on_disk_) {
    for (size_t i = begin_; i < end_; ++i) places.push_back({copied_[i].position, copied_[i].type_hash});
    return absl::OkStatus();
  }
  if (DecodePlaces(term_.kind(), AsView(iterator_->value()), last_, places)) return absl::OkStatus();
  return DataLossError(last_, "a posting does not parse");
}

ItemCursor::ItemCursor(const IndexView& view, const QueryItem& item, Direction direction, Position up_to,
                       size_t& steps_left)
    : direction_(direction), steps_left_(&steps_left), all_(!item.tags.empty()) {
  QL_CHECK(!item.tags.empty() || !item.types.empty(), "an item without terms is read from the log");
  for (const std::string& tag : item.tags)
    terms_.emplace_back(view, Term::Of(TermKind::kTag, tag), direction, up_to);
  for (const std::string& type : item.types) {
    if (all_) {
      type_hashes_.push_back(TypeHash(type));
    } else {
      terms_.emplace_back(view, Term::Of(TermKind::kType, type), direction, up_to);
    }
  }
}

absl::Status ItemCursor::Seek(Position last) {
  for (TermCursor& term : terms_) QL_RETURN_IF_ERROR(term.Seek(last));
  return Settle();
}

absl::Status ItemCursor::Next() {
  QL_RETURN_IF_ERROR(TakeStep());
  for (TermCursor& term : terms_) {
    if (term.valid() && term.last() == last_) QL_RETURN_IF_ERROR(term.Next());
  }
  return Settle();
}

absl::Status ItemCursor::TakeStep() {
  if (*steps_left_ == 0) return absl::ResourceExhaustedError("the way through the index is too long");
  --*steps_left_;
  return absl::OkStatus();
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
    QL_RETURN_IF_ERROR(TakeStep());
    QL_RETURN_IF_ERROR(terms_.front().Next());
  }
}

absl::Status ItemCursor::Align() {
  valid_ = false;
  if (!terms_.front().valid()) return absl::OkStatus();
  Position target = terms_.front().last();
  for (size_t agreed = 1, i = 1 % terms_.size(); agreed < terms_.size(); i = (i + 1) % terms_.size()) {
    QL_RETURN_IF_ERROR(TakeStep());
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
