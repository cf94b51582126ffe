#include "projections/roster/row.h"

#include <absl/status/statusor.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "eventstore/check.h"
#include "projections/dossier/fold.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using dossier::v1::RosterRow;
using dossier::v1::UnfoldedEvent;
using eventstore::EventView;

constexpr absl::CivilDay kEpoch(1970, 1, 1);
// What a thread keeps for the next row: of a larger row, or once it has grown larger, nothing.
constexpr size_t kKeptForRowBytesMax = size_t{512} << 10;
constexpr size_t kKeptDossierBytesMax = size_t{8} << 20;
constexpr size_t kRowsPerLook = 64;        // at how large it has grown, which takes a while
constexpr size_t kFieldHeadBytesMax = 16;  // a tag and a length take ten at most

// A row's fields, one after the other, without parsing what is in them.
class Fields {
 public:
  explicit Fields(std::string_view row)
      : row_(row), input_(reinterpret_cast<const uint8_t*>(row.data()), static_cast<int>(row.size())) {}

  // False at the end, and where the row is damaged.
  bool Next() {
    using google::protobuf::internal::WireFormatLite;
    tag_ = input_.ReadTag();
    if (tag_ == 0) {
      sound_ = input_.ConsumedEntireMessage();  // and not a zero where a field should begin
      return false;
    }
    uint32_t size = 0;
    if (WireFormatLite::GetTagWireType(tag_) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
        !input_.ReadVarint32(&size) || size > row_.size() - position()) {
      sound_ = false;
      return false;
    }
    bytes_ = row_.substr(position(), size);
    return input_.Skip(static_cast<int>(size));
  }
  bool sound() const { return sound_; }  // at the end
  int number() const { return google::protobuf::internal::WireFormatLite::GetTagFieldNumber(tag_); }
  std::string_view bytes() const { return bytes_; }
  size_t position() const { return static_cast<size_t>(input_.CurrentPosition()); }

 private:
  const std::string_view row_;
  google::protobuf::io::CodedInputStream input_;
  uint32_t tag_ = 0;
  std::string_view bytes_;
  bool sound_ = true;
};

// absl counts days from wherever it is, year by year; asked for with every event that is folded.
absl::CivilDay DayOf(int32_t days_since_epoch) {
  constexpr int32_t kDaysMax = 10'000'000;  // about as far as the years of <chrono> reach
  if (days_since_epoch < -kDaysMax || days_since_epoch > kDaysMax) return kEpoch + days_since_epoch;
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(days_since_epoch))};
  return absl::CivilDay(static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                        static_cast<unsigned>(day.day()));
}

template <class Message>
bool Parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// None when the row is damaged, or holds what this code does not write.
size_t CountUnfolded(std::string_view row) {
  Fields fields(row);
  size_t count = 0;
  for (bool first = true; fields.Next(); first = false) {
    if (fields.number() == RosterRow::kUnfoldedFieldNumber) {
      ++count;
    } else if (fields.number() != RosterRow::kDossierFieldNumber || !first) {
      return 0;
    }
  }
  return fields.sound() ? count : 0;
}

// Folds so many of a row's events into its dossier, and tells where the rest begins, all of which parses. The
// fields of the row are sound.
absl::StatusOr<size_t> FoldIn(std::string_view teacher_id, std::string_view row, size_t events,
                              Dossier& dossier) {
  static thread_local UnfoldedEvent unfolded;
  dossier.Clear();
  Fields fields(row);
  size_t rest = row.size();
  while (fields.Next()) {
    if (fields.number() == RosterRow::kDossierFieldNumber) {
      if (!Parse(fields.bytes(), dossier)) return DamagedRow(teacher_id);
      continue;
    }
    if (!Parse(fields.bytes(), unfolded)) return DamagedRow(teacher_id);
    if (events == 0) continue;
    const EventView event = EventIn(unfolded);
    QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));  // of rows from before Apply() refused them
    QL_RETURN_IF_ERROR(dossier::FoldEvent(event, teacher_id, dossier));
    if (--events == 0) rest = fields.position();
  }
  return rest;
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
  std::array<uint8_t, kFieldHeadBytesMax> head;
  uint8_t* end = google::protobuf::io::CodedOutputStream::WriteTagToArray(
      WireFormatLite::MakeTag(RosterRow::kDossierFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED),
      head.data());
  end = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), end);
  row.append(reinterpret_cast<const char*>(head.data()), static_cast<size_t>(end - head.data()));
  const size_t at = row.size();
  row.resize(at + size);  // a stream would fill all that the string has room for
  dossier.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(row.data() + at));
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
  event.occurred_on = DayOf(unfolded.occurred_on());
  event.payload = unfolded.payload();
  return event;
}

void FoldRow(std::string_view teacher_id, std::string& row) {
  // A dossier is hundreds of small texts: folding into one that has their memory already costs half as much.
  static thread_local std::unique_ptr<Dossier> kept;
  static thread_local size_t rows = 0;
  const size_t unfolded = CountUnfolded(row);
  if (unfolded < kUnfoldedMax) return;
  const bool keep = row.size() <= kKeptForRowBytesMax;
  std::unique_ptr<Dossier> dossier = keep ? std::move(kept) : nullptr;
  if (dossier == nullptr) dossier = std::make_unique<Dossier>();
  const auto rest = FoldIn(teacher_id, row, unfolded - unfolded % kUnfoldedMax, *dossier);
  if (rest.ok()) {
    std::string folded;
    StartRow(*dossier, folded);
    folded.append(row, *rest);
    row = std::move(folded);
  }
  // Each of its parts keeps the most that it has ever had.
  const bool too_large = ++rows % kRowsPerLook == 0 && dossier->SpaceUsedLong() > kKeptDossierBytesMax;
  if (keep && !too_large) kept = std::move(dossier);
}

bool IsFolded(std::string_view row) {
  Fields fields(row);
  size_t unfolded = 0;
  while (fields.Next()) unfolded += fields.number() == RosterRow::kUnfoldedFieldNumber ? 1 : 0;
  return fields.sound() && unfolded < kUnfoldedMax;
}

absl::Status ReadRow(std::string_view teacher_id, std::string_view bytes, Dossier& dossier) {
  RosterRow row;
  if (!Parse(bytes, row)) return DamagedRow(teacher_id);
  for (const UnfoldedEvent& unfolded : row.unfolded()) {
    const EventView event = EventIn(unfolded);
    QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));
    QL_RETURN_IF_ERROR(dossier::FoldEvent(event, teacher_id, *row.mutable_dossier()));
  }
  dossier = std::move(*row.mutable_dossier());
  return absl::OkStatus();
}

}  // namespace qinglan::projections
