#include "projections/roster/row.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include "eventstore/check.h"
#include "projections/dossier/fold.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using dossier::v1::RosterRow;
using dossier::v1::UnfoldedEvent;
using eventstore::EventView;

constexpr absl::CivilDay kEpoch(1970, 1, 1);
constexpr size_t kArenaBlockBytesMax = size_t{256} << 10;

bool Parse(std::string_view bytes, RosterRow& row) {
  return row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Without looking into them. None when the row is damaged.
size_t CountUnfolded(std::string_view row) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream fields(reinterpret_cast<const uint8_t*>(row.data()),
                                                static_cast<int>(row.size()));
  size_t count = 0;
  while (const uint32_t tag = fields.ReadTag()) {
    if (!WireFormatLite::SkipField(&fields, tag)) return 0;
    if (WireFormatLite::GetTagFieldNumber(tag) == RosterRow::kUnfoldedFieldNumber) ++count;
  }
  return count;
}

absl::Status FoldIn(std::string_view teacher_id, int events, RosterRow& row) {
  for (int i = 0; i < events; ++i) {
    const EventView event = EventIn(row.unfolded(i));
    QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));  // of rows from before Apply() refused them
    QL_RETURN_IF_ERROR(dossier::FoldEvent(event, teacher_id, *row.mutable_dossier()));
  }
  return absl::OkStatus();
}

}  // namespace

void AppendToRow(const EventView& event, RosterRow& scratch, std::string& row) {
  UnfoldedEvent& unfolded =
      scratch.unfolded_size() == 0 ? *scratch.add_unfolded() : *scratch.mutable_unfolded(0);
  unfolded.set_position(event.position.value);
  unfolded.set_commit_id(event.commit_id.data(), event.commit_id.size());
  unfolded.set_index_in_commit(event.index_in_commit);
  unfolded.set_type(event.type.data(), event.type.size());
  unfolded.set_occurred_on(static_cast<int32_t>(event.occurred_on - kEpoch));
  unfolded.set_payload(event.payload.data(), event.payload.size());
  scratch.AppendToString(&row);
}

void StartRow(const Dossier& dossier, std::string& row) {
  using google::protobuf::internal::WireFormatLite;
  // A dossier has no map fields: the same content always gives the same bytes.
  const size_t size = dossier.ByteSizeLong();
  google::protobuf::io::StringOutputStream stream(&row);
  google::protobuf::io::CodedOutputStream fields(&stream);
  fields.WriteTag(
      WireFormatLite::MakeTag(RosterRow::kDossierFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  fields.WriteVarint32(static_cast<uint32_t>(size));
  dossier.SerializeWithCachedSizes(&fields);
}

absl::Status DamagedRow(std::string_view teacher_id) {
  return absl::DataLossError(fmt::format("the row of teacher {} does not parse", teacher_id));
}

EventView EventIn(const UnfoldedEvent& unfolded) {
  EventView event;
  event.position = eventstore::Position(unfolded.position());
  event.commit_id = unfolded.commit_id();
  event.index_in_commit = unfolded.index_in_commit();
  event.type = unfolded.type();
  event.occurred_on = kEpoch + unfolded.occurred_on();
  event.payload = unfolded.payload();
  return event;
}

void FoldRow(std::string_view teacher_id, std::string& row) {
  const size_t unfolded = CountUnfolded(row);
  if (unfolded < kUnfoldedMax) return;
  google::protobuf::ArenaOptions blocks;
  blocks.max_block_size = kArenaBlockBytesMax;
  google::protobuf::Arena arena(blocks);
  auto& parsed = *google::protobuf::Arena::CreateMessage<RosterRow>(&arena);
  const auto due = static_cast<int>(unfolded - unfolded % kUnfoldedMax);
  if (!Parse(row, parsed) || !FoldIn(teacher_id, due, parsed).ok()) return;
  parsed.mutable_unfolded()->DeleteSubrange(0, due);
  parsed.SerializeToString(&row);
}

absl::Status ReadRow(std::string_view teacher_id, std::string_view bytes, Dossier& dossier) {
  RosterRow row;
  if (!Parse(bytes, row)) return DamagedRow(teacher_id);
  QL_RETURN_IF_ERROR(FoldIn(teacher_id, row.unfolded_size(), row));
  dossier = std::move(*row.mutable_dossier());
  return absl::OkStatus();
}

}  // namespace qinglan::projections
