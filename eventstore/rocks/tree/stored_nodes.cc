#include "eventstore/rocks/tree/stored_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/read/log_cursor.h"

namespace qinglan::eventstore::rocks {

using transparency::Hash;

std::string NodeKey::Encode() const {
  std::string key(1, static_cast<char>(tier));
  AppendBig64(key, index);
  return key;
}

bool NodeKey::Decode(std::string_view bytes, NodeKey& key) {
  if (bytes.size() != kNodeKeyBytes) return false;
  key.tier = static_cast<uint8_t>(bytes[0]);
  key.index = LoadBig64(bytes.data() + 1);
  return key.tier >= 1 && key.tier < transparency::kTiersMax;
}

absl::Status ForEachHashedLeaf(Record& record, Position from, Position to, transparency::LeafEncoder& encoder,
                               absl::FunctionRef<void(std::string_view hashed)> visit) {
  encoder.StartCommit(record.stored_head());
  for (Position p = std::max(from, record.first()); p <= std::min(to, record.last()); p = p.Next()) {
    QL_ASSIGN_OR_RETURN(const std::string_view event, record.StoredEvent(p));
    visit(encoder.Hashed(static_cast<uint32_t>(p.value - record.first().value), event));
  }
  return absl::OkStatus();
}

absl::Status StoredNodes::Read(int tier, uint64_t first, absl::Span<Hash> hashes) const {
  if (hashes.empty()) return absl::OkStatus();
  if (tier == 0) return ReadLeaves(Position(first + 1), hashes);
  const std::unique_ptr<rocksdb::Iterator> nodes(
      database_.db()->NewIterator(CheckedRead(), database_.tree()));
  NodeKey key{tier, first};
  nodes->Seek(key.Encode());
  for (Hash& hash : hashes) {
    const bool there = nodes->Valid() && AsView(nodes->key()) == key.Encode() &&
                       transparency::HashFrom(AsView(nodes->value()), hash);
    if (!there) {
      QL_RETURN_IF_ERROR(FromRocks(nodes->status(), "reading the tree"));
      return absl::DataLossError(fmt::format("the tree's hash {} of tier {} is not there", key.index, tier));
    }
    ++key.index;
    nodes->Next();
  }
  return absl::OkStatus();
}

absl::Status StoredNodes::ReadLeaves(Position first, absl::Span<Hash> hashes) const {
  const Position last(first.value + hashes.size() - 1);
  transparency::Hasher hasher;
  transparency::LeafEncoder encoder;
  auto next = hashes.begin();
  LogCursor log(database_);
  QL_RETURN_IF_ERROR(log.SeekContaining(first));
  while (true) {
    QL_RETURN_IF_ERROR(ForEachHashedLeaf(log.record(), first, last, encoder,
                                         [&](std::string_view hashed) { *next++ = hasher.Plain(hashed); }));
    if (log.record().last() >= last) return absl::OkStatus();
    const Position end = log.record().last();
    QL_RETURN_IF_ERROR(log.Next());
    if (!log.valid()) return DataLossError(end.Next(), "the log ends before");
  }
}

absl::StatusOr<uint64_t> StoredNodes::Count(int tier) const {
  const std::unique_ptr<rocksdb::Iterator> nodes(
      database_.db()->NewIterator(CheckedRead(), database_.tree()));
  nodes->SeekForPrev(NodeKey{tier, UINT64_MAX}.Encode());
  QL_RETURN_IF_ERROR(FromRocks(nodes->status(), "reading the tree"));
  NodeKey last;
  if (!nodes->Valid() || !NodeKey::Decode(AsView(nodes->key()), last) || last.tier != tier) return 0;
  return last.index + 1;
}

}  // namespace qinglan::eventstore::rocks
