#include "eventstore/rocks/read/reader.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/read/item_cursor.h"
#include "eventstore/rocks/read/log_cursor.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

// One call of ReadMatching().
class Reading {
 public:
  Reading(const Database& database, const Query& query, const ReadOptions& options, Position up_to,
          EventVisitor visit)
      : database_(database),
        query_(query),
        after_(options.after),
        up_to_(up_to),
        limit_(options.limit),
        direction_(options.backwards ? Direction::kBackwards : Direction::kForwards),
        visit_(visit),
        log_(database) {}

  absl::StatusOr<Position> Run() {
    const bool scan = std::any_of(query_.items.begin(), query_.items.end(), [](const QueryItem& item) {
      return item.types.empty() && item.tags.empty();
    });
    QL_RETURN_IF_ERROR(scan ? Scan() : Merge());
    return ended_ ? last_handed_over_ : up_to_;
  }

 private:
  absl::Status Scan();
  absl::Status Merge();
  absl::StatusOr<Position> Start();
  absl::Status HandOver(Position commit, const Places& candidates);
  absl::Status HandOverIfMatching(Record& record, Position position);

  const Database& database_;
  const Query& query_;
  const Position after_;
  const Position up_to_;
  const size_t limit_;
  const Direction direction_;
  EventVisitor visit_;
  LogCursor log_;
  EventView event_;  // reused, so that its tags keep their memory
  size_t handed_over_ = 0;
  Position last_handed_over_;
  bool ended_ = false;  // by the visitor or the limit
};

absl::Status Reading::HandOverIfMatching(Record& record, Position position) {
  QL_RETURN_IF_ERROR(record.Event(position, event_));
  if (!query_.Matches(event_)) return absl::OkStatus();
  last_handed_over_ = position;
  ++handed_over_;
  ended_ = !visit_(event_) || handed_over_ == limit_;
  return absl::OkStatus();
}

absl::Status Reading::Scan() {
  if (direction_ == Direction::kForwards) {
    QL_RETURN_IF_ERROR(log_.SeekContaining(after_.Next()));
    while (log_.valid()) {
      Record& record = log_.record();
      const Position end = std::min(record.last(), up_to_);
      for (Position p = std::max(record.first(), after_.Next()); p <= end && !ended_; p = p.Next()) {
        QL_RETURN_IF_ERROR(HandOverIfMatching(record, p));
      }
      if (ended_ || end == up_to_) return absl::OkStatus();
      QL_RETURN_IF_ERROR(log_.Next());
    }
    return DataLossError(up_to_, "the log ends before");
  }
  QL_RETURN_IF_ERROR(log_.SeekContaining(up_to_));
  while (log_.valid()) {
    Record& record = log_.record();
    const Position end = std::max(record.first(), after_.Next());
    for (Position p = std::min(record.last(), up_to_); p >= end && !ended_; p.value -= 1) {
      QL_RETURN_IF_ERROR(HandOverIfMatching(record, p));
    }
    if (ended_ || record.first() <= after_.Next()) return absl::OkStatus();
    QL_RETURN_IF_ERROR(log_.Prev());
  }
  return absl::OkStatus();
}

absl::StatusOr<Position> Reading::Start() {
  if (direction_ == Direction::kForwards) return after_.Next();
  QL_RETURN_IF_ERROR(log_.SeekContaining(up_to_));
  return log_.record().last();  // postings are filed under their commit's end
}

absl::Status Reading::Merge() {
  QL_ASSIGN_OR_RETURN(const Position start, Start());
  std::vector<ItemCursor> items;
  items.reserve(query_.items.size());
  for (const QueryItem& item : query_.items) {
    items.emplace_back(database_, item, direction_);
    QL_RETURN_IF_ERROR(items.back().Seek(start));
  }
  Places candidates;
  while (!ended_) {
    const ItemCursor* nearest = nullptr;
    for (const ItemCursor& item : items) {
      if (item.valid() && (nearest == nullptr || Before(item.last(), nearest->last(), direction_)))
        nearest = &item;
    }
    if (nearest == nullptr) return absl::OkStatus();
    const Position commit = nearest->last();
    if (direction_ == Direction::kBackwards && commit <= after_) return absl::OkStatus();
    candidates.clear();
    for (ItemCursor& item : items) {
      if (!item.valid() || item.last() != commit) continue;
      candidates.insert(candidates.end(), item.places().begin(), item.places().end());
      QL_RETURN_IF_ERROR(item.Next());
    }
    QL_RETURN_IF_ERROR(HandOver(commit, candidates));
    if (direction_ == Direction::kForwards && commit >= up_to_) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Reading::HandOver(Position commit, const Places& candidates) {
  absl::InlinedVector<Position, 8> positions;
  for (const Place& place : candidates) {
    if (place.position > after_ && place.position <= up_to_) positions.push_back(place.position);
  }
  if (positions.empty()) return absl::OkStatus();
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  if (direction_ == Direction::kBackwards) std::reverse(positions.begin(), positions.end());
  QL_RETURN_IF_ERROR(log_.SeekLast(commit));
  for (const Position position : positions) {
    if (!log_.record().Contains(position)) {
      return DataLossError(position, "the index names an event that is not in its commit");
    }
    QL_RETURN_IF_ERROR(HandOverIfMatching(log_.record(), position));
    if (ended_) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Position> ReadMatching(const Database& database, const Query& query,
                                      const ReadOptions& options, Position head, EventVisitor visit) {
  const Position up_to = std::min(options.up_to.value_or(head), head);
  if (options.limit == 0) return options.after;
  if (options.after >= up_to) return std::max(options.after, up_to);
  if (query.items.empty()) return up_to;
  return Reading(database, query, options, up_to, visit).Run();
}

absl::StatusOr<EventStore::Commit> FindStoredCommit(const Database& database, std::string_view commit_id) {
  TermCursor postings(database, Term::Of(TermKind::kCommit, commit_id), Direction::kForwards);
  QL_RETURN_IF_ERROR(postings.Seek(Position(0)));
  if (postings.valid()) {
    LogCursor log(database);
    for (; postings.valid();) {
      QL_RETURN_IF_ERROR(log.SeekLast(postings.last()));
      const Record& record = log.record();
      if (record.commit_id() == commit_id) {
        return EventStore::Commit{record.AsAppended(), std::string(record.fingerprint())};
      }
      QL_RETURN_IF_ERROR(postings.Next());
    }
  }
  return absl::NotFoundError("there is no such commit");
}

absl::StatusOr<Position> FindHeadAt(const Database& database, absl::Time instant, Position head) {
  LogCursor log(database);
  Position known(0);               // recorded at or before the instant
  Position unknown = head.Next();  // recorded after it, or past the head
  while (known.Next() < unknown) {
    QL_RETURN_IF_ERROR(log.SeekContaining(Position(known.value + (unknown.value - known.value) / 2)));
    if (log.record().recorded_at() <= instant) {
      known = std::min(log.record().last(), head);
    } else {
      unknown = log.record().first();
    }
  }
  return known;
}

absl::StatusOr<LogEnd> FindLogEnd(const Database& database) {
  LogCursor log(database);
  QL_RETURN_IF_ERROR(log.SeekToLast());
  if (!log.valid()) return LogEnd{};
  return LogEnd{log.record().last(), log.record().recorded_at()};
}

}  // namespace qinglan::eventstore::rocks
