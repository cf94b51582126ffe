#include "projections/roster/roster.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::projections {
namespace {

constexpr std::string_view kTeacherTag = "teacher:";

}  // namespace

bool IsAboutReading(std::string_view event_type) { return event_type.starts_with("qinglan.portfolio."); }

absl::Status Roster::Apply(const eventstore::EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    auto row = touched_.find(teacher_id);
    if (row == touched_.end()) {
      QL_ASSIGN_OR_RETURN(const std::optional<std::string> stored, view.Get(teacher_id));
      dossier::v1::Dossier dossier;
      if (stored.has_value() && !dossier.ParseFromString(*stored)) {
        return absl::DataLossError(fmt::format("the row of teacher {} does not parse", teacher_id));
      }
      row = touched_.emplace(std::string(teacher_id), std::move(dossier)).first;
    }
    dossier::FoldEvent(event, teacher_id, row->second);
  }
  return absl::OkStatus();
}

absl::Status Roster::Flush(ViewBatch& view) {
  // A dossier has no map fields: the same content always gives the same bytes.
  for (const auto& [teacher_id, dossier] : touched_) view.Put(teacher_id, dossier.SerializeAsString());
  touched_.clear();
  return absl::OkStatus();
}

absl::StatusOr<dossier::v1::Dossier> Roster::Read(const ViewSnapshot& rows, std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> stored, rows.Get(teacher_id));
  if (!stored.has_value()) return absl::NotFoundError(fmt::format("no row for teacher {}", teacher_id));
  dossier::v1::Dossier dossier;
  if (!dossier.ParseFromString(*stored)) {
    return absl::DataLossError(fmt::format("the row of teacher {} does not parse", teacher_id));
  }
  return dossier;
}

}  // namespace qinglan::projections
