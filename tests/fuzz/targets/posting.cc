// The values of the index. Input: the kind (1 byte), the commit's last position (8 bytes), the value.
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/format/posting.h"
#include "tests/fuzz/targets/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan::eventstore;
  using rocks::TermKind;
  qinglan::fuzz::Input input(bytes, size);
  static constexpr TermKind kKinds[] = {TermKind::kCommit, TermKind::kTag, TermKind::kType};
  const TermKind kind = kKinds[input.Byte() % 3];
  const Position last(input.Number(8));

  const rocks::Term term = rocks::Term::Of(kind, input.rest());
  QL_CHECK(term.kind() == kind, "a term is of its kind");
  QL_CHECK(rocks::PostingKey(term, last).size() == rocks::kPostingKeyBytes, "keys have one length");

  rocks::Places places;
  if (!DecodePlaces(kind, input.rest(), last, places)) return 0;
  std::vector<rocks::Posting> postings;
  for (const rocks::Place& place : places) {
    QL_CHECK(place.position <= last, "no event is past its commit");
    postings.push_back(
        {place.position, static_cast<uint32_t>(last.value - place.position.value), place.type_hash});
  }
  if (kind == TermKind::kCommit) return 0;
  rocks::Places again;
  QL_CHECK(DecodePlaces(kind, EncodePlaces(kind, postings), last, again), "what was decoded can be encoded");
  QL_CHECK(again.size() == places.size(), "nothing is lost on the way");
  for (size_t i = 0; i < again.size(); ++i) {
    QL_CHECK(again[i].position == places[i].position && again[i].type_hash == places[i].type_hash,
             "everything is as it was");
  }
  return 0;
}
