#include "eventstore/transparency/leaf.h"

#include "eventstore/event_store.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/transparency/hash.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr absl::CivilDay kDayZero(1970, 1, 1);

}  // namespace

void LeafEncoder::StartCommit(std::string_view head) {
  bytes_.assign(1, kLeafPrefix);
  bytes_.push_back(static_cast<char>(kLeafVersion));
  bytes_.append(head);
  head_bytes_ = bytes_.size();
}

std::string_view LeafEncoder::Hashed(uint32_t index, std::string_view event) {
  bytes_.resize(head_bytes_);
  rocks::AppendVarint(bytes_, index);
  bytes_.append(event);
  return bytes_;
}

std::string_view LeafEncoder::Leaf(uint32_t index, std::string_view event) {
  return Hashed(index, event).substr(1);
}

absl::StatusOr<DecodedLeaf> DecodeLeaf(std::string_view leaf, Position position) {
  DecodedLeaf decoded;
  EventView& event = decoded.event;
  rocks::Decoder decoder(leaf);
  const uint8_t version = decoder.Byte();
  if (!decoder.ok() || version != kLeafVersion) {
    return absl::InvalidArgumentError("the leaf's version is unknown");
  }
  event.position = position;
  event.recorded_at = absl::FromUnixMicros(static_cast<int64_t>(decoder.Fixed64()));
  event.commit_id = decoder.Text();
  decoded.fingerprint = decoder.Text();
  event.actor = decoder.Text();
  event.correlation_id = decoder.Text();
  event.causation_id = decoder.Text();
  const uint64_t count = decoder.Varint();
  const uint64_t index = decoder.Varint();
  event.type = decoder.Text();
  for (uint64_t left = decoder.Varint(); left > 0 && decoder.ok(); --left)
    event.tags.push_back(decoder.Text());
  event.occurred_on = kDayZero + rocks::UnZigZag(decoder.Varint());
  event.payload = decoder.rest();
  if (!decoder.ok()) return absl::InvalidArgumentError("the leaf is cut short");
  if (count > kEventsPerCommitMax || index >= count) {
    return absl::InvalidArgumentError("the leaf's place in its commit is impossible");
  }
  decoded.events_in_commit = static_cast<uint32_t>(count);
  event.index_in_commit = static_cast<uint32_t>(index);
  return decoded;
}

}  // namespace qinglan::eventstore::transparency
