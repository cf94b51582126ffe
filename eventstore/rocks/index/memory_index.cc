#include "eventstore/rocks/index/memory_index.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kCopyPostings = 24;  // at least so many, when there are
constexpr size_t kListBytes = 48;     // of a term: its slot in the map
constexpr size_t kPostingBytes = 24;  // of a further posting: its place in a list that has room to grow

bool EndsBefore(const Posting& posting, Position last) { return posting.last() < last; }
bool BeginsAfter(Position last, const Posting& posting) { return last < posting.last(); }
bool IsBefore(Position position, const Posting& posting) { return position < posting.position; }

// One past the commit that the posting at `at` belongs to.
template <class List>
size_t EndOfCommit(const List& list, size_t at) {
  const Position last = list[at].last();
  while (at < list.size() && list[at].last() == last) ++at;
  return at;
}

template <class List>
size_t BeginOfCommit(const List& list, size_t at) {
  const Position last = list[at].last();
  while (at > 0 && list[at - 1].last() == last) --at;
  return at;
}

}  // namespace

void MemoryIndex::Add(absl::Span<const TermPosting> postings) {
  const absl::WriterMutexLock lock(&mutex_);
  for (const auto& [term, posting] : postings) {
    List& list = lists_[term.AsNumber()];
    if (!list.empty() && list.back().position == posting.position) continue;  // two tags that share a term
    QL_CHECK(list.empty() || list.back().position < posting.position, "postings come in order of position");
    list.push_back(posting);
    ++postings_;
  }
}

const MemoryIndex::List* MemoryIndex::Find(const Term& term) const {
  const auto found = lists_.find(term.AsNumber());
  return found == lists_.end() ? nullptr : &found->second;
}

void MemoryIndex::Copy(const Term& term, Position last, Direction direction,
                       std::vector<Posting>& out) const {
  const absl::ReaderMutexLock lock(&mutex_);
  const List* list = Find(term);
  if (list == nullptr) return;
  if (direction == Direction::kForwards) {
    const auto begin = std::lower_bound(list->begin(), list->end(), last, EndsBefore);
    if (begin == list->end()) return;
    const size_t first = static_cast<size_t>(begin - list->begin());
    const size_t end = EndOfCommit(*list, std::min(first + kCopyPostings, list->size()) - 1);
    out.insert(out.end(), begin, list->begin() + static_cast<ptrdiff_t>(end));
    return;
  }
  const auto end = std::upper_bound(list->begin(), list->end(), last, BeginsAfter);
  if (end == list->begin()) return;
  const size_t past = static_cast<size_t>(end - list->begin());
  const size_t first = BeginOfCommit(*list, past - std::min(past, kCopyPostings));
  out.insert(out.end(), list->begin() + static_cast<ptrdiff_t>(first), end);
}

size_t MemoryIndex::CountPast(const Term& term, Position after) const {
  const absl::ReaderMutexLock lock(&mutex_);
  const List* list = Find(term);
  if (list == nullptr) return 0;
  return static_cast<size_t>(list->end() - std::upper_bound(list->begin(), list->end(), after, IsBefore));
}

void MemoryIndex::ForEachPast(const Term& term, Position after,
                              absl::FunctionRef<bool(const Posting&)> visit) const {
  const absl::ReaderMutexLock lock(&mutex_);
  const List* list = Find(term);
  if (list == nullptr) return;
  auto at = std::upper_bound(list->begin(), list->end(), after, IsBefore);
  while (at != list->end() && visit(*at)) ++at;
}

bool MemoryIndex::MayMatchPast(const Query& query, Position after) const {
  return std::any_of(query.items.begin(), query.items.end(), [&](const QueryItem& item) {
    const auto has_tag = [&](const std::string& tag) {
      return CountPast(Term::Of(TermKind::kTag, tag), after) > 0;
    };
    const auto has_type = [&](const std::string& type) {
      return CountPast(Term::Of(TermKind::kType, type), after) > 0;
    };
    const bool any_type = item.types.empty() || !item.tags.empty();  // tags say enough
    return std::all_of(item.tags.begin(), item.tags.end(), has_tag) &&
           (any_type || std::any_of(item.types.begin(), item.types.end(), has_type));
  });
}

void MemoryIndex::ForEachTerm(absl::FunctionRef<void(const Term&, absl::Span<const Posting>)> visit) const {
  const absl::ReaderMutexLock lock(&mutex_);
  std::vector<std::pair<uint64_t, const List*>> terms;
  terms.reserve(lists_.size());
  for (const auto& [number, list] : lists_) terms.emplace_back(number, &list);
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [number, list] : terms) visit(Term::FromNumber(number), *list);
}

size_t MemoryIndex::bytes() const {
  const absl::ReaderMutexLock lock(&mutex_);
  return lists_.size() * kListBytes + postings_ * kPostingBytes;
}

}  // namespace qinglan::eventstore::rocks
