// Terms and postings: how the index says which events of which commit bear a tag or a type.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>

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
  auto operator<=>(const Term& other) const {
    return view() <=> other.view();
  }  // as keys sort: bytes, unsigned
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

// Gathers the postings of one commit.
class CommitPostings {
 public:
  CommitPostings(std::string_view commit_id, Position last);

  // Events in ascending order.
  void AddType(Position position, std::string_view type);
  void AddTag(Position position, std::string_view tag, uint32_t type_hash);

  // Every posting once, in order of key.
  void ForEach(absl::FunctionRef<void(const Term& term, std::string_view key, std::string_view value)> visit);

 private:
  struct Entry {
    Term term;
    uint32_t back;
    uint32_t type_hash;
  };

  Position last_;
  std::vector<Entry> entries_;
};

}  // namespace qinglan::eventstore::rocks
