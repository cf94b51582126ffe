#include "projections/roster/roster.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using eventstore::EventView;

constexpr std::string_view kTeacherTag = "teacher:";
// Among so many events appended to rows, about what the view store keeps in memory before it puts together
// what was appended, so many of one row make it long: few, for each read folds them until the store does,
// and in a quiet installation that is days; and many more than are folded at once, so that writing a row
// whole costs an event less than the event. No more than kEventsCountedMax / kAppendedMax rows can become
// long at the same time.
constexpr size_t kEventsCountedMax = 65'536;
constexpr size_t kAppendedMax = 128;

}  // namespace

bool IsAboutReading(std::string_view event_type) { return event_type.starts_with("qinglan.portfolio."); }

std::unique_ptr<Projection> Roster::Part(size_t part, size_t parts) const {
  return std::unique_ptr<Projection>(new Roster(part, parts));
}

bool Roster::IsMine(std::string_view teacher_id) const {
  // Not by the bits that the table of this part places its entries by.
  return parts_ == 1 || (Hash()(teacher_id) >> 32) % parts_ == part_;
}

absl::Status Roster::Apply(const EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  bool first = true;
  appended_.clear();
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    const bool checks = std::exchange(first, false);
    if (!IsMine(teacher_id)) continue;
    // Here, for it may be long until somebody folds it. One part does it for all of them.
    if (checks) QL_RETURN_IF_ERROR(dossier::CheckFolds(event));
    QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));
    if (appended_.empty()) AppendToRow(event, scratch_, appended_);
    view.Append(teacher_id, appended_);
    if (!view.in_bulk()) Count(teacher_id);
  }
  return absl::OkStatus();
}

void Roster::Count(std::string_view teacher_id) {
  if (++counted_ > kEventsCountedMax) {
    counts_.clear();
    counted_ = 1;
  }
  auto count = counts_.find(teacher_id);
  if (count == counts_.end()) count = counts_.try_emplace(std::string(teacher_id)).first;
  if (++count->second < kAppendedMax) return;
  counts_.erase(count);
  long_.emplace(teacher_id);
}

absl::Status Roster::Flush(ViewBatch& view) {
  for (const std::string& teacher_id : long_) {
    const absl::StatusOr<std::optional<std::string>> row = view.Get(teacher_id);
    if (absl::IsDataLoss(row.status())) {  // it stays as it is, and stops nobody else's
      spdlog::error("the row of teacher {} is damaged: {}", teacher_id, row.status().ToString());
      continue;
    }
    QL_RETURN_IF_ERROR(row.status());
    if (!row->has_value()) continue;
    if (!IsFolded(**row))
      spdlog::error("the row of teacher {} is damaged and stays as it is, with what comes put at its end",
                    teacher_id);
    view.Put(teacher_id, **row);
  }
  long_.clear();
  return absl::OkStatus();
}

absl::StatusOr<Dossier> Roster::Read(const ViewSnapshot& rows, std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, rows.Get(teacher_id));
  if (!row.has_value()) return absl::NotFoundError(fmt::format("no row for teacher {}", teacher_id));
  Dossier dossier;
  QL_RETURN_IF_ERROR(ReadRow(teacher_id, *row, dossier));
  return dossier;
}

}  // namespace qinglan::projections
