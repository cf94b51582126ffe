#include "eventstore/rocks/format/posting.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::rocks {
namespace {

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

Term Term::Of(TermKind kind, std::string_view text) {
  const uint64_t hash = Hash(text);
  Term term;
  term.bytes[0] = static_cast<char>(kind);
  for (size_t i = 1; i < kTermBytes; ++i) term.bytes[i] = static_cast<char>(hash >> (8 * (kTermBytes - i)));
  return term;
}

uint64_t Term::AsNumber() const { return LoadBig64(bytes.data()); }

Term Term::FromNumber(uint64_t number) {
  Term term;
  for (size_t i = 0; i < kTermBytes; ++i)
    term.bytes[i] = static_cast<char>(number >> (8 * (kTermBytes - 1 - i)));
  return term;
}

std::string PositionKey(Position position) {
  std::string key;
  AppendBig64(key, position.value);
  return key;
}

std::string PostingKey(const Term& term, Position last) {
  std::string key(term.view());
  AppendBig64(key, last.value);
  return key;
}

uint32_t TypeHash(std::string_view type) { return static_cast<uint32_t>(Hash(type)); }

bool DecodePlaces(TermKind kind, std::string_view value, Position last, Places& places) {
  if (kind == TermKind::kCommit) return value.empty();
  if (kind == TermKind::kType && value.empty()) {
    places.push_back({last, 0});
    return true;
  }
  if (kind == TermKind::kTag && value.size() == kTypeHashBytes) {
    places.push_back({last, LoadFixed32(value.data())});
    return true;
  }
  Decoder decoder(value);
  uint64_t back_before = uint64_t{std::numeric_limits<uint32_t>::max()} + 1;
  while (!decoder.rest().empty()) {
    const uint64_t back = decoder.Varint();
    const uint32_t type_hash = kind == TermKind::kTag ? decoder.Fixed32() : 0;
    if (!decoder.ok() || back >= last.value || back >= back_before) return false;
    back_before = back;
    places.push_back({Position(last.value - back), type_hash});
  }
  return !value.empty();
}

void AppendPlaces(std::string& value, TermKind kind, absl::Span<const Posting> postings) {
  if (kind == TermKind::kCommit) return;
  const bool only_last = postings.size() == 1 && postings[0].back == 0;
  for (const Posting& posting : postings) {
    if (!only_last) AppendVarint(value, posting.back);
    if (kind == TermKind::kTag) AppendFixed32(value, posting.type_hash);
  }
}

std::string EncodePlaces(TermKind kind, absl::Span<const Posting> postings) {
  std::string value;
  AppendPlaces(value, kind, postings);
  return value;
}

void CommitPostings::Start(std::string_view commit_id, Position last) {
  last_ = last;
  postings_.clear();
  postings_.push_back({Term::Of(TermKind::kCommit, commit_id), {last, 0, 0}});
}

void CommitPostings::AddEvent(Position position, std::string_view type,
                              absl::Span<const std::string_view> tags) {
  const auto back = static_cast<uint32_t>(last_.value - position.value);
  const uint32_t type_hash = TypeHash(type);
  postings_.push_back({Term::Of(TermKind::kType, type), {position, back, 0}});
  for (const std::string_view tag : tags) {
    postings_.push_back({Term::Of(TermKind::kTag, tag), {position, back, type_hash}});
  }
}

void CommitPostings::ForEach(
    absl::FunctionRef<void(const Term& term, std::string_view key, std::string_view value)> visit) {
  std::sort(postings_.begin(), postings_.end(), [](const TermPosting& a, const TermPosting& b) {
    return std::tie(a.term, a.posting.position) < std::tie(b.term, b.posting.position);
  });
  std::vector<Posting> of_term;
  for (auto begin = postings_.begin(); begin != postings_.end();) {
    of_term.clear();
    auto end = begin;
    for (; end != postings_.end() && end->term == begin->term; ++end) {
      const bool twice =  // two tags of one event share the term
          !of_term.empty() && of_term.back().position == end->posting.position;
      if (!twice) of_term.push_back(end->posting);
    }
    visit(begin->term, PostingKey(begin->term, last_), EncodePlaces(begin->term.kind(), of_term));
    begin = end;
  }
}

}  // namespace qinglan::eventstore::rocks
