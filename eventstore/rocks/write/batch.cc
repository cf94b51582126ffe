#include "eventstore/rocks/write/batch.h"

#include <algorithm>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/record.h"

namespace qinglan::eventstore::rocks {
namespace {

std::optional<Position> Earlier(std::optional<Position> a, std::optional<Position> b) {
  if (!a.has_value()) return b;
  return b.has_value() ? std::min(*a, *b) : a;
}

}  // namespace

Appended Batch::Add(const AppendRequest& request) {
  const Appended appended{head_.Next(), Position(head_.value + request.events.size()), recorded_at_, false};
  CommitPostings postings(request.commit_id, appended.last);
  Position position = appended.first;
  absl::InlinedVector<std::string_view, 8> tags;
  for (const NewEvent& event : request.events) {
    tags.assign(event.tags.begin(), event.tags.end());
    postings.AddEvent(position, event.type, tags);
    events_.push_back(&event);
    position = position.Next();
  }
  index_.Add(postings.all());
  const std::string record = EncodeRecord(request, appended.last, recorded_at_);
  const rocksdb::Status status = bytes_.Put(index_.database().log(), PositionKey(appended.last), record);
  QL_CHECK(status.ok(), "a record within the limits fits into a write batch");
  tree_.Add(appended.last, record, bytes_);
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
      first = Earlier(first, FirstAmong(Term::Of(TermKind::kType, type), item, after));
    }
    return first;
  }
  std::optional<Term> rarest;
  size_t least = 0;
  for (const std::string& tag : item.tags) {
    const Term term = Term::Of(TermKind::kTag, tag);
    const size_t count = index_.newest().CountPast(term, start_);
    if (!rarest.has_value() || count < least) {
      rarest = term;
      least = count;
    }
  }
  return FirstAmong(*rarest, item, after);
}

std::optional<Position> Batch::FirstAmong(const Term& term, const QueryItem& item, Position after) const {
  std::optional<Position> first;
  index_.newest().ForEachPast(term, std::max(start_, after), [&](const Posting& posting) {
    if (Matches(item, posting.position)) first = posting.position;
    return !first.has_value();
  });
  return first;
}

bool Batch::Matches(const QueryItem& item, Position position) const {
  const NewEvent& event = *events_[position.value - start_.value - 1];
  EventView view;
  view.type = event.type;
  view.tags.assign(event.tags.begin(), event.tags.end());
  return item.Matches(view);
}

}  // namespace qinglan::eventstore::rocks
