// Terms and postings: how the index says which events of which commit bear a tag or a type.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>
#include <absl/types/span.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {

// What a posting is filed under. Two texts may share one.
struct Term {
  std::array<char, kTermBytes> bytes;

  static Term Of(TermKind kind, std::string_view text);
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  TermKind kind() const { return static_cast<TermKind>(bytes[0]); }
  // The bytes as a number that sorts as they do, and back.
  uint64_t AsNumber() const;
  static Term FromNumber(uint64_t number);
  auto operator<=>(const Term& other) const { return AsNumber() <=> other.AsNumber(); }  // as keys sort
  bool operator==(const Term& other) const = default;
};

std::string PositionKey(Position position);
std::string PostingKey(const Term& term, Position last);

uint32_t TypeHash(std::string_view type);

// One event that a posting names.
struct Place {
  Position position;
  uint32_t type_hash = 0;  // of tag postings only
};
using Places = absl::InlinedVector<Place, 4>;

// Appends what the posting under `kind` with this value says of the commit that ends at `last`; ascending.
// False when the value is no such posting.
[[nodiscard]] bool DecodePlaces(TermKind kind, std::string_view value, Position last, Places& places);

// One event that bears a term.
struct Posting {
  Position position;
  uint32_t back = 0;       // from the end of the event's commit
  uint32_t type_hash = 0;  // of tag postings only

  Position last() const { return Position(position.value + back); }  // of the commit
};
static_assert(sizeof(Posting) == 16);

struct TermPosting {
  Term term;
  Posting posting;
};

// Appends to `value` what the index keeps of the postings of one term and one commit: ascending, none twice.
void AppendPlaces(std::string& value, TermKind kind, absl::Span<const Posting> postings);
std::string EncodePlaces(TermKind kind, absl::Span<const Posting> postings);

// Gathers the postings of one commit.
class CommitPostings {
 public:
  CommitPostings(std::string_view commit_id, Position last) { Start(commit_id, last); }

  // Begins with another commit, in the memory of the one before.
  void Start(std::string_view commit_id, Position last);

  // Events in ascending order.
  void AddEvent(Position position, std::string_view type, absl::Span<const std::string_view> tags);

  // All of them: those of one term in order of position, but for two tags of one event that share a term.
  absl::Span<const TermPosting> all() const { return postings_; }

  // Every entry of the index once, in order of key.
  void ForEach(absl::FunctionRef<void(const Term& term, std::string_view key, std::string_view value)> visit);

 private:
  Position last_;
  std::vector<TermPosting> postings_;
};

}  // namespace qinglan::eventstore::rocks
