#include "eventstore/rocks/read/reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/read/event_cache.h"
#include "eventstore/rocks/read/item_cursor.h"
#include "eventstore/rocks/read/log_cursor.h"
#include "eventstore/rocks/read/records.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

// Records fetched together: few at first, for a reader that wants only one or two.
constexpr size_t kTogetherFirst = 8;
constexpr size_t kTogetherMax = 64;
constexpr size_t kLongWayEvents = 10'000;  // a scan of more reads ahead
constexpr size_t kKeptEventsMax = 256;     // of one reading: a long one must not drive out everybody's

// One call of ReadMatching().
class Reading {
 public:
  Reading(const Index& index, const Query& query, const ReadOptions& options, Position up_to,
          EventVisitor visit, Keep keep, size_t steps_max)
      : view_(index.view()),
        query_(query),
        after_(options.after),
        up_to_(up_to),
        limit_(options.limit),
        direction_(options.backwards ? Direction::kBackwards : Direction::kForwards),
        visit_(visit),
        database_(index.database()),
        records_(database_),
        cache_(database_),
        keep_(keep),
        steps_left_(steps_max) {}

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
  // Of one commit: which of its events the index proposes.
  struct Proposal {
    Position commit;
    absl::InlinedVector<Position, 2> positions;  // on the way's order
  };
  void Propose(Position commit, const Places& candidates);
  absl::Status HandOverProposals();
  // Fetches the records of the proposals of which not every event is in the cache.
  std::vector<EventCache::Found> Find();
  Records::Blocks BlocksOf() const;
  absl::Status HandOver(Record& record, Position position);
  absl::Status HandOverIfMatching(Record& record, Position position);
  void HandOverIfMatching();

  const std::shared_ptr<const IndexView> view_;
  const Query& query_;
  const Position after_;
  const Position up_to_;
  const size_t limit_;
  const Direction direction_;
  EventVisitor visit_;
  const Database& database_;
  Records records_;
  const EventCache cache_;
  const Keep keep_;
  size_t steps_left_;
  std::vector<Proposal> proposals_;  // not yet looked at
  EventView event_;                  // reused, so that its tags keep their memory
  size_t handed_over_ = 0;
  Position last_handed_over_;
  bool ended_ = false;  // by the visitor or the limit
};

absl::Status Reading::HandOverIfMatching(Record& record, Position position) {
  QL_RETURN_IF_ERROR(record.Event(position, event_));
  HandOverIfMatching();
  return absl::OkStatus();
}

void Reading::HandOverIfMatching() {
  if (!query_.Matches(event_)) return;
  last_handed_over_ = event_.position;
  ++handed_over_;
  ended_ = !visit_(event_) || handed_over_ == limit_;
}

absl::Status Reading::Scan() {
  const bool far = limit_ > kLongWayEvents && up_to_.value - after_.value > kLongWayEvents;
  LogCursor log(database_, far ? LogCursor::Way::kLong : LogCursor::Way::kShort);
  if (direction_ == Direction::kForwards) {
    QL_RETURN_IF_ERROR(log.SeekContaining(after_.Next()));
    while (log.valid()) {
      Record& record = log.record();
      const Position end = std::min(record.last(), up_to_);
      for (Position p = std::max(record.first(), after_.Next()); p <= end && !ended_; p = p.Next()) {
        QL_RETURN_IF_ERROR(HandOverIfMatching(record, p));
      }
      if (ended_ || end == up_to_) return absl::OkStatus();
      QL_RETURN_IF_ERROR(log.Next());
    }
    return DataLossError(up_to_, "the log ends before");
  }
  QL_RETURN_IF_ERROR(log.SeekContaining(up_to_));
  while (log.valid()) {
    Record& record = log.record();
    const Position end = std::max(record.first(), after_.Next());
    for (Position p = std::min(record.last(), up_to_); p >= end && !ended_; p.value -= 1) {
      QL_RETURN_IF_ERROR(HandOverIfMatching(record, p));
    }
    if (ended_ || record.first() <= after_.Next()) return absl::OkStatus();
    QL_RETURN_IF_ERROR(log.Prev());
  }
  return absl::OkStatus();
}

absl::StatusOr<Position> Reading::Start() {
  if (direction_ == Direction::kForwards) return after_.Next();
  LogCursor log(database_);
  QL_RETURN_IF_ERROR(log.SeekContaining(up_to_));
  return log.record().last();  // postings are filed under their commit's end
}

absl::Status Reading::Merge() {
  QL_ASSIGN_OR_RETURN(const Position start, Start());
  std::vector<ItemCursor> items;
  items.reserve(query_.items.size());
  for (const QueryItem& item : query_.items) {
    items.emplace_back(*view_, item, direction_, up_to_, steps_left_);
    QL_RETURN_IF_ERROR(items.back().Seek(start));
  }
  size_t together = std::min(limit_, kTogetherFirst);
  Places candidates;
  std::optional<Position> passed;  // the commit of the last round: who ends there pays for no step more
  while (!ended_) {
    const ItemCursor* nearest = nullptr;
    for (ItemCursor& item : items) {
      if (passed.has_value() && item.valid() && item.last() == *passed) QL_RETURN_IF_ERROR(item.Next());
    }
    for (const ItemCursor& item : items) {
      if (item.valid() && (nearest == nullptr || Before(item.last(), nearest->last(), direction_)))
        nearest = &item;
    }
    if (nearest == nullptr) break;
    const Position commit = nearest->last();
    if (direction_ == Direction::kBackwards && commit <= after_) break;
    candidates.clear();
    for (const ItemCursor& item : items) {
      if (!item.valid() || item.last() != commit) continue;
      candidates.insert(candidates.end(), item.places().begin(), item.places().end());
    }
    passed = commit;
    Propose(commit, candidates);
    if (proposals_.size() >= together) {
      QL_RETURN_IF_ERROR(HandOverProposals());
      together = std::min(together * 2, kTogetherMax);
    }
    if (direction_ == Direction::kForwards && commit >= up_to_) break;
  }
  return HandOverProposals();
}

void Reading::Propose(Position commit, const Places& candidates) {
  Proposal proposal{commit, {}};
  auto& positions = proposal.positions;
  for (const Place& place : candidates) {
    if (place.position > after_ && place.position <= up_to_) positions.push_back(place.position);
  }
  if (positions.empty()) return;
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  if (direction_ == Direction::kBackwards) std::reverse(positions.begin(), positions.end());
  proposals_.push_back(std::move(proposal));
}

std::vector<EventCache::Found> Reading::Find() {
  std::vector<EventCache::Found> found;
  std::vector<Position> commits;
  for (const Proposal& proposal : proposals_) {
    bool all = true;
    for (const Position position : proposal.positions) {
      // Who keeps nothing goes through much, of which hardly anything is there.
      found.push_back(keep_ == Keep::kFirstEvents ? cache_.Find(position) : cache_.None());
      all = all && found.back();
    }
    if (!all) commits.push_back(proposal.commit);
  }
  if (direction_ == Direction::kBackwards) std::reverse(commits.begin(), commits.end());
  if (!commits.empty()) records_.Fetch(commits, BlocksOf());
  return found;
}

Records::Blocks Reading::BlocksOf() const {
  const bool keeps_events = keep_ == Keep::kFirstEvents && handed_over_ < kKeptEventsMax;
  return !keeps_events || database_.KeepBlocksThisTime() ? Records::Blocks::kKept : Records::Blocks::kNotKept;
}

absl::Status Reading::HandOverProposals() {
  if (proposals_.empty()) return absl::OkStatus();
  const std::vector<EventCache::Found> found = Find();
  size_t at = 0;       // in `found`
  size_t fetched = 0;  // records
  for (const Proposal& proposal : proposals_) {
    if (ended_) break;
    std::optional<Record> record;
    for (size_t i = at; i < at + proposal.positions.size(); ++i) {
      if (found[i] || record.has_value()) continue;
      QL_ASSIGN_OR_RETURN(
          record, records_.At(direction_ == Direction::kForwards ? fetched : records_.size() - 1 - fetched));
      ++fetched;
    }
    for (const Position position : proposal.positions) {
      const EventCache::Found& kept = found[at++];
      if (kept) {
        QL_RETURN_IF_ERROR(kept.Event(position, event_));
        HandOverIfMatching();
      } else {
        QL_RETURN_IF_ERROR(HandOver(*record, position));
      }
      if (ended_) break;
    }
  }
  proposals_.clear();
  return absl::OkStatus();
}

absl::Status Reading::HandOver(Record& record, Position position) {
  if (!record.Contains(position)) {
    return DataLossError(position, "the index names an event that is not in its commit");
  }
  QL_RETURN_IF_ERROR(record.Event(position, event_));
  if (keep_ == Keep::kFirstEvents && handed_over_ < kKeptEventsMax) {
    QL_ASSIGN_OR_RETURN(const std::string_view stored, record.StoredEvent(position));
    cache_.Keep(event_, stored);
  }
  HandOverIfMatching();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Position> ReadMatching(const Index& index, const Query& query, const ReadOptions& options,
                                      Position head, EventVisitor visit, Keep keep, size_t steps_max) {
  const Position up_to = std::min(options.up_to.value_or(head), head);
  if (options.limit == 0) return options.after;
  if (options.after >= up_to) return std::max(options.after, up_to);
  if (query.items.empty()) return up_to;
  return Reading(index, query, options, up_to, visit, keep, steps_max).Run();
}

absl::StatusOr<EventStore::Commit> FindStoredCommit(const Index& index, std::string_view commit_id,
                                                    Position head) {
  const std::shared_ptr<const IndexView> view = index.view();
  TermCursor postings(*view, Term::Of(TermKind::kCommit, commit_id), Direction::kForwards, head);
  QL_RETURN_IF_ERROR(postings.Seek(Position(0)));
  Records records(index.database());
  for (; postings.valid() && postings.last() <= head;) {
    records.Fetch({postings.last()});
    QL_ASSIGN_OR_RETURN(const Record record, records.At(0));
    if (record.commit_id() == commit_id) {
      return EventStore::Commit{record.AsAppended(), std::string(record.fingerprint())};
    }
    QL_RETURN_IF_ERROR(postings.Next());
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
