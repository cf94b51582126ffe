#include "projections/roster/roster.h"

#include <fmt/format.h>

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

absl::StatusOr<Roster::Touched*> Roster::Touch(std::string_view teacher_id, ViewBatch& view) {
  const auto known = touched_.find(teacher_id);
  if (known != touched_.end()) return &known->second;
  Touched touched;
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> count, view.Get(CountKey(teacher_id)));
  touched.stored_unfolded = CountOf(count);
  // Those that are stored are read only when they are folded; until then their places are held by nothing.
  touched.unfolded.resize(touched.stored_unfolded);
  touched.kept = touched.stored_unfolded;
  return &touched_.emplace(std::string(teacher_id), std::move(touched)).first->second;
}

absl::Status Roster::Apply(const EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    QL_ASSIGN_OR_RETURN(Touched* const touched, Touch(teacher_id, view));
    touched->unfolded.push_back(Encode(event));
    if (touched->unfolded.size() < kUnfoldedMax) continue;
    if (!touched->folded.has_value()) {
      QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(teacher_id));
      QL_ASSIGN_OR_RETURN(touched->folded, Decode(row, teacher_id));
    }
    for (size_t i = 0; i < touched->kept; ++i) {
      QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(UnfoldedKey(teacher_id, i)));
      if (!row.has_value()) return Damaged(teacher_id);
      touched->unfolded[i] = *row;
    }
    for (const std::string& bytes : touched->unfolded)
      QL_RETURN_IF_ERROR(Fold(bytes, teacher_id, *touched->folded));
    touched->unfolded.clear();
    touched->kept = 0;
  }
  return absl::OkStatus();
}

absl::Status Roster::Flush(ViewBatch& view) {
  for (const auto& [teacher_id, touched] : touched_) {
    // A dossier has no map fields: the same content always gives the same bytes.
    if (touched.folded.has_value()) view.Put(teacher_id, touched.folded->SerializeAsString());
    for (size_t i = touched.kept; i < touched.unfolded.size(); ++i) {
      view.Put(UnfoldedKey(teacher_id, i), touched.unfolded[i]);
    }
    for (size_t i = touched.unfolded.size(); i < touched.stored_unfolded; ++i)
      view.Delete(UnfoldedKey(teacher_id, i));
    view.Put(CountKey(teacher_id), std::string(1, static_cast<char>(touched.unfolded.size())));
  }
  touched_.clear();
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
