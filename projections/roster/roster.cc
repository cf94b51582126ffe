#include "projections/roster/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "eventstore/check.h"
#include "qinglan/dossier/v1/roster.pb.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using dossier::v1::UnfoldedEvent;
using eventstore::EventView;

constexpr std::string_view kTeacherTag = "teacher:";
constexpr absl::CivilDay kEpoch(1970, 1, 1);
// About what things take in memory: an entry of the table, and a dossier's objects for each byte that it was
// read or folded from.
constexpr size_t kBytesPerTeacher = 128;
constexpr size_t kDossierBytesPerByte = 3;
constexpr size_t kArenaBlockBytesMax = size_t{256} << 10;
static_assert(Roster::kUnfoldedMax <= 255, "their number and their index are one byte");

std::string CountKey(std::string_view teacher_id) { return fmt::format("{}#", teacher_id); }
std::string UnfoldedKey(std::string_view teacher_id, size_t index) {
  return CountKey(teacher_id) + static_cast<char>(index);
}

absl::Status Damaged(std::string_view teacher_id) {
  return absl::DataLossError(fmt::format("the rows of teacher {} do not parse", teacher_id));
}

absl::Status Fold(std::string_view bytes, std::string_view teacher_id, UnfoldedEvent& scratch,
                  Dossier& dossier) {
  if (!scratch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Damaged(teacher_id);
  EventView event;
  event.position = eventstore::Position(scratch.position());
  event.commit_id = scratch.commit_id();
  event.index_in_commit = scratch.index_in_commit();
  event.type = scratch.type();
  event.occurred_on = kEpoch + scratch.occurred_on();
  event.payload = scratch.payload();
  return dossier::FoldEvent(event, teacher_id, dossier);
}

// An event in memory, as a fold looks at it: what is of one size, then the texts.
struct Head {
  uint64_t position;
  absl::CivilDay occurred_on;
  uint32_t index_in_commit;
  uint32_t commit_id_bytes;
  uint32_t type_bytes;
  uint32_t payload_bytes;
};

static_assert(std::is_trivially_copyable_v<Head>);

void Append(const EventView& event, std::string& events) {
  const Head head{event.position.value,
                  event.occurred_on,
                  event.index_in_commit,
                  static_cast<uint32_t>(event.commit_id.size()),
                  static_cast<uint32_t>(event.type.size()),
                  static_cast<uint32_t>(event.payload.size())};
  events.append(reinterpret_cast<const char*>(&head), sizeof(head));
  events.append(event.commit_id).append(event.type).append(event.payload);
}

EventView Take(std::string_view& events) {
  const auto take = [&](size_t size) {
    const std::string_view text = events.substr(0, size);
    events.remove_prefix(size);
    return text;
  };
  Head head;
  std::memcpy(&head, take(sizeof(head)).data(), sizeof(head));
  EventView event;
  event.position = eventstore::Position(head.position);
  event.index_in_commit = head.index_in_commit;
  event.occurred_on = head.occurred_on;
  event.commit_id = take(head.commit_id_bytes);
  event.type = take(head.type_bytes);
  event.payload = take(head.payload_bytes);
  return event;
}

void Encode(const EventView& event, UnfoldedEvent& scratch, std::string& row) {
  scratch.set_position(event.position.value);
  scratch.set_commit_id(event.commit_id.data(), event.commit_id.size());
  scratch.set_index_in_commit(event.index_in_commit);
  scratch.set_type(event.type.data(), event.type.size());
  scratch.set_occurred_on(static_cast<int32_t>(event.occurred_on - kEpoch));
  scratch.set_payload(event.payload.data(), event.payload.size());
  scratch.SerializeToString(&row);
}

// The dossier of before the first folding is empty.
absl::Status Decode(const std::optional<std::string>& row, std::string_view teacher_id, Dossier& dossier) {
  if (row.has_value() && !dossier.ParseFromString(*row)) return Damaged(teacher_id);
  return absl::OkStatus();
}

google::protobuf::ArenaOptions ArenaBlocks() {
  google::protobuf::ArenaOptions blocks;
  blocks.max_block_size = kArenaBlockBytesMax;
  return blocks;
}

size_t CountOf(const std::optional<std::string>& row) {
  return row.has_value() && row->size() == 1 ? static_cast<unsigned char>(row->front()) : 0;
}

}  // namespace

bool IsAboutReading(std::string_view event_type) { return event_type.starts_with("qinglan.portfolio."); }

std::unique_ptr<Projection> Roster::Part(size_t part, size_t parts) const {
  return std::unique_ptr<Projection>(new Roster(part, parts));
}

bool Roster::IsMine(std::string_view teacher_id) const {
  // Not by the bits that the table of this part places its entries by.
  return parts_ == 1 || (Hash()(teacher_id) >> 32) % parts_ == part_;
}

absl::StatusOr<Roster::Touched*> Roster::Touch(std::string_view teacher_id, ViewBatch& view) {
  const auto known = touched_.find(teacher_id);
  if (known != touched_.end()) return &known->second;
  Touched touched;
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> count, view.Get(CountKey(teacher_id)));
  // Those that are stored are read only when they are folded.
  touched.stored = touched.kept = touched.count = CountOf(count);
  kept_bytes_ += kBytesPerTeacher + teacher_id.size();
  return &touched_.emplace(std::string(teacher_id), std::move(touched)).first->second;
}

absl::Status Roster::Apply(const EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    if (!IsMine(teacher_id)) continue;
    QL_ASSIGN_OR_RETURN(Touched* const touched, Touch(teacher_id, view));
    kept_bytes_ -= touched->unfolded.capacity();
    Append(event, touched->unfolded);
    kept_bytes_ += touched->unfolded.capacity();
    if (++touched->count == kUnfoldedMax) QL_RETURN_IF_ERROR(FoldIn(teacher_id, *touched, view));
  }
  return absl::OkStatus();
}

absl::Status Roster::FoldIn(std::string_view teacher_id, Touched& touched, ViewBatch& view) {
  if (touched.folded == nullptr) {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(teacher_id));
    if (arena_ == nullptr) arena_ = std::make_unique<google::protobuf::Arena>(ArenaBlocks());
    touched.folded = google::protobuf::Arena::CreateMessage<Dossier>(arena_.get());
    QL_RETURN_IF_ERROR(Decode(row, teacher_id, *touched.folded));
    kept_bytes_ += sizeof(Dossier) + kDossierBytesPerByte * (row.has_value() ? row->size() : 0);
  }
  UnfoldedEvent scratch;
  for (size_t i = 0; i < touched.kept; ++i) {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(UnfoldedKey(teacher_id, i)));
    if (!row.has_value()) return Damaged(teacher_id);
    QL_RETURN_IF_ERROR(Fold(*row, teacher_id, scratch, *touched.folded));
    kept_bytes_ += kDossierBytesPerByte * row->size();
  }
  for (std::string_view events = touched.unfolded; !events.empty();)
    QL_RETURN_IF_ERROR(dossier::FoldEvent(Take(events), teacher_id, *touched.folded));
  kept_bytes_ += kDossierBytesPerByte * touched.unfolded.size();
  touched.unfolded.clear();  // keeps its memory for those to come
  touched.kept = 0;
  touched.count = 0;
  return absl::OkStatus();
}

absl::Status Roster::Flush(ViewBatch& view) {
  // In order of the keys, which spares a large batch its sorting.
  std::vector<std::pair<std::string_view, const Touched*>> teachers;
  teachers.reserve(touched_.size());
  for (const auto& [teacher_id, touched] : touched_) teachers.emplace_back(teacher_id, &touched);
  std::sort(teachers.begin(), teachers.end());
  UnfoldedEvent scratch;
  std::string bytes;
  for (const auto& [teacher_id, touched] : teachers) {
    // A dossier has no map fields: the same content always gives the same
    // bytes.
    if (touched->folded != nullptr) {
      touched->folded->SerializeToString(&bytes);
      view.Put(teacher_id, bytes);
    }
    view.Put(CountKey(teacher_id), std::string(1, static_cast<char>(touched->count)));
    size_t index = touched->kept;
    for (std::string_view events = touched->unfolded; !events.empty(); ++index) {
      Encode(Take(events), scratch, bytes);
      view.Put(UnfoldedKey(teacher_id, index), bytes);
    }
    QL_CHECK(index == touched->count, "each event beside a dossier is counted");
    for (; index < touched->stored; ++index) view.Delete(UnfoldedKey(teacher_id, index));
  }
  touched_.clear();
  arena_.reset();
  kept_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<Dossier> Roster::Read(const ViewSnapshot& rows, std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, rows.Get(teacher_id));
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> count, rows.Get(CountKey(teacher_id)));
  if (!row.has_value() && !count.has_value()) {
    return absl::NotFoundError(fmt::format("no row for teacher {}", teacher_id));
  }
  Dossier dossier;
  QL_RETURN_IF_ERROR(Decode(row, teacher_id, dossier));
  if (CountOf(count) == 0) return dossier;
  ScanOptions beside;
  beside.prefix = CountKey(teacher_id);
  beside.after = beside.prefix;  // past the count itself
  absl::Status folded = absl::OkStatus();
  size_t found = 0;
  UnfoldedEvent scratch;
  const auto scanned = rows.Scan(beside, [&](std::string_view, std::string_view bytes) {
    ++found;
    folded = Fold(bytes, teacher_id, scratch, dossier);
    return folded.ok();
  });
  QL_RETURN_IF_ERROR(scanned.status());
  QL_RETURN_IF_ERROR(folded);
  if (found != CountOf(count)) return Damaged(teacher_id);
  return dossier;
}

}  // namespace qinglan::projections
