// What is short and binary: keys of the index and of the tree, and leaves. Input: the position (8 bytes), the
// bytes.
#include <string>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "eventstore/transparency/leaf.h"
#include "tests/fuzz/targets/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan::eventstore;
  qinglan::fuzz::Input input(bytes, size);
  const Position position(input.Number(8));
  const std::string_view rest = input.rest();

  rocks::NodeKey node;
  if (rocks::NodeKey::Decode(rest, node)) QL_CHECK(node.Encode() == rest, "a node's key has one form");

  const std::string key = rocks::PositionKey(position);
  QL_CHECK(key.size() == rocks::kPositionBytes && rocks::LoadBig64(key.data()) == position.value,
           "a position is read as it was written");
  const Position other(position.value + 1 + input.Byte());
  const bool overflows = other < position;
  QL_CHECK((rocks::PositionKey(position) < rocks::PositionKey(other)) != overflows,
           "keys sort as positions do");
  const rocks::Term term = rocks::Term::Of(rocks::TermKind::kTag, rest);
  QL_CHECK(rocks::Term::FromNumber(term.AsNumber()) == term, "a term is its number");

  const auto leaf = transparency::DecodeLeaf(rest, position);
  if (!leaf.ok()) return 0;
  QL_CHECK(leaf->event.position == position, "a leaf is where it was said to be");
  QL_CHECK(leaf->event.index_in_commit < leaf->events_in_commit, "an event is in its commit");
  return 0;
}
