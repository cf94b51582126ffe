#include "eventstore/rocks/format/posting.h"

#include <xxhash.h>

#include <algorithm>
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
  while (!decoder.rest().empty()) {
    const uint64_t back = decoder.Varint();
    const uint32_t type_hash = kind == TermKind::kTag ? decoder.Fixed32() : 0;
    if (!decoder.ok() || back >= last.value) return false;
    places.push_back({Position(last.value - back), type_hash});
  }
  return !value.empty();
}

CommitPostings::CommitPostings(std::string_view commit_id, Position last) : last_(last) {
  entries_.push_back({Term::Of(TermKind::kCommit, commit_id), 0, 0});
}

void CommitPostings::AddType(Position position, std::string_view type) {
  entries_.push_back(
      {Term::Of(TermKind::kType, type), static_cast<uint32_t>(last_.value - position.value), 0});
}

void CommitPostings::AddTag(Position position, std::string_view tag, uint32_t type_hash) {
  entries_.push_back(
      {Term::Of(TermKind::kTag, tag), static_cast<uint32_t>(last_.value - position.value), type_hash});
}

void CommitPostings::ForEach(
    absl::FunctionRef<void(const Term& term, std::string_view key, std::string_view value)> visit) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.term, b.back) < std::tie(b.term, a.back);  // the furthest back is the lowest position
  });
  for (auto begin = entries_.begin(); begin != entries_.end();) {
    const auto end =
        std::find_if(begin, entries_.end(), [&](const Entry& e) { return e.term != begin->term; });
    const TermKind kind = begin->term.kind();
    const bool only_last = begin->back == 0;
    std::string value;
    for (auto entry = begin; entry != end; ++entry) {
      const bool twice =
          entry != begin && entry->back == std::prev(entry)->back;  // two tags of one event share the term
      if (kind == TermKind::kCommit || twice) continue;
      if (!only_last) AppendVarint(value, entry->back);
      if (kind == TermKind::kTag) AppendFixed32(value, entry->type_hash);
    }
    visit(begin->term, PostingKey(begin->term, last_), value);
    begin = end;
  }
}

}  // namespace qinglan::eventstore::rocks
