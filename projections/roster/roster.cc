#include "projections/roster/roster.h"

#include <fmt/format.h>

#include <algorithm>
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
// About what things take in memory: an entry of the table, a string besides its characters, and a dossier's
// objects for each byte that it was read or folded from.
constexpr size_t kBytesPerTeacher = 128;
constexpr size_t kBytesPerString = sizeof(std::string) + 16;
constexpr size_t kDossierBytesPerByte = 3;
static_assert(Roster::kUnfoldedMax <= 255, "their number and their index are one byte");

std::string CountKey(std::string_view teacher_id) { return fmt::format("{}#", teacher_id); }
std::string UnfoldedKey(std::string_view teacher_id, size_t index) {
  return CountKey(teacher_id) + static_cast<char>(index);
}

absl::Status Damaged(std::string_view teacher_id) {
  return absl::DataLossError(fmt::format("the rows of teacher {} do not parse", teacher_id));
}

std::string Encode(const EventView& event) {
  UnfoldedEvent unfolded;
  unfolded.set_position(event.position.value);
  unfolded.set_commit_id(std::string(event.commit_id));
  unfolded.set_index_in_commit(event.index_in_commit);
  unfolded.set_type(std::string(event.type));
  unfolded.set_occurred_on(static_cast<int32_t>(event.occurred_on - kEpoch));
  unfolded.set_payload(std::string(event.payload));
  return unfolded.SerializeAsString();
}

absl::Status Fold(std::string_view bytes, std::string_view teacher_id, Dossier& dossier) {
  UnfoldedEvent unfolded;
  if (!unfolded.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Damaged(teacher_id);
  EventView event;
  event.position = eventstore::Position(unfolded.position());
  event.commit_id = unfolded.commit_id();
  event.index_in_commit = unfolded.index_in_commit();
  event.type = unfolded.type();
  event.occurred_on = kEpoch + unfolded.occurred_on();
  event.payload = unfolded.payload();
  dossier::FoldEvent(event, teacher_id, dossier);
  return absl::OkStatus();
}

// The dossier of before the first folding is empty.
absl::StatusOr<Dossier> Decode(const std::optional<std::string>& row, std::string_view teacher_id) {
  Dossier dossier;
  if (row.has_value() && !dossier.ParseFromString(*row)) return Damaged(teacher_id);
  return dossier;
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
  touched.stored_unfolded = CountOf(count);
  // Those that are stored are read only when they are folded; until then their places are held by nothing.
  touched.unfolded.resize(touched.stored_unfolded);
  touched.kept = touched.stored_unfolded;
  kept_bytes_ += kBytesPerTeacher + teacher_id.size() + touched.kept * kBytesPerString;
  return &touched_.emplace(std::string(teacher_id), std::move(touched)).first->second;
}

absl::Status Roster::Apply(const EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    if (!IsMine(teacher_id)) continue;
    QL_ASSIGN_OR_RETURN(Touched* const touched, Touch(teacher_id, view));
    touched->unfolded.push_back(Encode(event));
    kept_bytes_ += kBytesPerString + touched->unfolded.back().size();
    if (touched->unfolded.size() == kUnfoldedMax) QL_RETURN_IF_ERROR(FoldIn(teacher_id, *touched, view));
  }
  return absl::OkStatus();
}

absl::Status Roster::FoldIn(std::string_view teacher_id, Touched& touched, ViewBatch& view) {
  if (touched.folded == nullptr) {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(teacher_id));
    QL_ASSIGN_OR_RETURN(Dossier dossier, Decode(row, teacher_id));
    touched.folded = std::make_unique<Dossier>(std::move(dossier));
    kept_bytes_ += sizeof(Dossier) + kDossierBytesPerByte * (row.has_value() ? row->size() : 0);
  }
  for (size_t i = 0; i < touched.kept; ++i) {
    QL_ASSIGN_OR_RETURN(std::optional<std::string> row, view.Get(UnfoldedKey(teacher_id, i)));
    if (!row.has_value()) return Damaged(teacher_id);
    kept_bytes_ += row->size();
    touched.unfolded[i] = *std::move(row);
  }
  for (const std::string& bytes : touched.unfolded) {
    QL_RETURN_IF_ERROR(Fold(bytes, teacher_id, *touched.folded));
    kept_bytes_ -= kBytesPerString + bytes.size();
    kept_bytes_ += kDossierBytesPerByte * bytes.size();
  }
  touched.unfolded.clear();
  touched.kept = 0;
  return absl::OkStatus();
}

absl::Status Roster::Flush(ViewBatch& view) {
  // In order of the keys, which spares a large batch its sorting.
  std::vector<std::string_view> teacher_ids;
  teacher_ids.reserve(touched_.size());
  for (const auto& [teacher_id, touched] : touched_) teacher_ids.push_back(teacher_id);
  std::sort(teacher_ids.begin(), teacher_ids.end());
  std::string bytes;
  for (const std::string_view teacher_id : teacher_ids) {
    const Touched& touched = touched_.find(teacher_id)->second;
    // A dossier has no map fields: the same content always gives the same bytes.
    if (touched.folded != nullptr) {
      touched.folded->SerializeToString(&bytes);
      view.Put(teacher_id, bytes);
    }
    view.Put(CountKey(teacher_id), std::string(1, static_cast<char>(touched.unfolded.size())));
    for (size_t i = touched.kept; i < touched.unfolded.size(); ++i) {
      view.Put(UnfoldedKey(teacher_id, i), touched.unfolded[i]);
    }
    for (size_t i = touched.unfolded.size(); i < touched.stored_unfolded; ++i)
      view.Delete(UnfoldedKey(teacher_id, i));
  }
  touched_.clear();
  kept_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<Dossier> Roster::Read(const ViewSnapshot& rows, std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, rows.Get(teacher_id));
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> count, rows.Get(CountKey(teacher_id)));
  if (!row.has_value() && !count.has_value()) {
    return absl::NotFoundError(fmt::format("no row for teacher {}", teacher_id));
  }
  QL_ASSIGN_OR_RETURN(Dossier dossier, Decode(row, teacher_id));
  if (CountOf(count) == 0) return dossier;
  ScanOptions beside;
  beside.prefix = CountKey(teacher_id);
  beside.after = beside.prefix;  // past the count itself
  absl::Status folded = absl::OkStatus();
  size_t found = 0;
  const auto scanned = rows.Scan(beside, [&](std::string_view, std::string_view bytes) {
    ++found;
    folded = Fold(bytes, teacher_id, dossier);
    return folded.ok();
  });
  QL_RETURN_IF_ERROR(scanned.status());
  QL_RETURN_IF_ERROR(folded);
  if (found != CountOf(count)) return Damaged(teacher_id);
  return dossier;
}

}  // namespace qinglan::projections
