#include "eventstore/rocks/write/batch.h"

#include <algorithm>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/record.h"

namespace qinglan::eventstore::rocks {
namespace {

uint64_t AsNumber(const Term& term) { return LoadBig64(term.bytes.data()); }

std::optional<Position> Earlier(std::optional<Position> a, std::optional<Position> b) {
  if (!a.has_value()) return b;
  return b.has_value() ? std::min(*a, *b) : a;
}

}  // namespace

void Batch::Note(const Term& term, Position position) {
  Positions& bearers = bearers_[AsNumber(term)];
  if (bearers.empty() || bearers.back() != position) bearers.push_back(position);
}

Appended Batch::Add(const AppendRequest& request) {
  const Appended appended{head_.Next(), Position(head_.value + request.events.size()), recorded_at_, false};
  CommitPostings postings(request.commit_id, appended.last);
  Position position = appended.first;
  for (const NewEvent& event : request.events) {
    postings.AddType(position, event.type);
    Note(Term::Of(TermKind::kType, event.type), position);
    const uint32_t type_hash = TypeHash(event.type);
    for (const std::string& tag : event.tags) {
      postings.AddTag(position, tag, type_hash);
      Note(Term::Of(TermKind::kTag, tag), position);
    }
    events_.push_back(&event);
    position = position.Next();
  }
  rocksdb::Status status = bytes_.Put(database_.log(), PositionKey(appended.last),
                                      EncodeRecord(request, appended.last, recorded_at_));
  postings.ForEach([&](const Term&, std::string_view key, std::string_view value) {
    if (status.ok()) status = bytes_.Put(database_.index(), AsSlice(key), AsSlice(value));
  });
  QL_CHECK(status.ok(), "an entry within the limits fits into a write batch");
  head_ = appended.last;
  commits_.emplace(request.commit_id, Commit{&request, appended});
  return appended;
}

const Batch::Commit* Batch::Find(std::string_view commit_id) const {
  const auto found = commits_.find(commit_id);
  return found == commits_.end() ? nullptr : &found->second;
}

std::optional<Position> Batch::FirstMatch(const Query& query, Position after) const {
  std::optional<Position> first;
  for (const QueryItem& item : query.items) first = Earlier(first, FirstMatch(item, after));
  return first;
}

std::optional<Position> Batch::FirstMatch(const QueryItem& item, Position after) const {
  if (item.tags.empty() && item.types.empty()) {
    const Position first = std::max(start_, after).Next();
    return first <= head_ ? std::optional(first) : std::nullopt;
  }
  if (item.tags.empty()) {
    std::optional<Position> first;
    for (const std::string& type : item.types) {
      first = Earlier(first, FirstAmong(BearersOf(TermKind::kType, type), item, after));
    }
    return first;
  }
  const Positions* rarest = nullptr;
  for (const std::string& tag : item.tags) {
    const Positions& bearers = BearersOf(TermKind::kTag, tag);
    if (rarest == nullptr || bearers.size() < rarest->size()) rarest = &bearers;
  }
  return FirstAmong(*rarest, item, after);
}

std::optional<Position> Batch::FirstAmong(const Positions& bearers, const QueryItem& item,
                                          Position after) const {
  for (const Position position : bearers) {
    if (position > after && Matches(item, position)) return position;
  }
  return std::nullopt;
}

const Batch::Positions& Batch::BearersOf(TermKind kind, std::string_view text) const {
  static const Positions kNone;
  const auto found = bearers_.find(AsNumber(Term::Of(kind, text)));
  return found == bearers_.end() ? kNone : found->second;
}

bool Batch::Matches(const QueryItem& item, Position position) const {
  const NewEvent& event = *events_[position.value - start_.value - 1];
  EventView view;
  view.type = event.type;
  view.tags.assign(event.tags.begin(), event.tags.end());
  return item.Matches(view);
}

}  // namespace qinglan::eventstore::rocks
