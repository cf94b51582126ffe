// One planner for each kind of sheet: rows to commands and findings. Pure but for what the directory looks
// up.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <map>
#include <string>
#include <vector>

#include "services/qinglan/import/planning/directory.h"
#include "services/qinglan/import/planning/plan.h"
#include "services/qinglan/import/sheets/files.h"

namespace qinglan::importing {

// What every planner works with.
struct Planning {
  Plan& plan;
  Directory& directory;
  absl::CivilDay today;
  bool unrecorded_is_absent = false;

  // A reader for the row, which is counted as read.
  RowReader Read(const Sheet& sheet, const Row& row) const;
  // A command that places `kind` for this row.
  static Command For(const RowReader& row, std::string_view kind, int stage);
};

RowRef RefOf(const RowReader& row);

// Remembers which rows were seen: the same row again is ROW_DUPLICATE {row}.
class Seen {
 public:
  // Refuses `row` when `identity` was there before.
  bool First(RowReader& row, const std::string& identity);

 private:
  std::map<std::string, int> rows_;
};

// OneRoster 1.2: organisations, teachers with their primary post, further posts.
void PlanRoster(const std::vector<Sheet>& sheets, const Planning& planning);
void PlanAttendance(const Sheet& sheet, const Planning& planning);
void PlanObservations(const Sheet& sheet, const Planning& planning);
void PlanPairings(const Sheet& sheet, const Planning& planning);
void PlanOutputs(const Sheet& sheet, const Planning& planning);
void PlanPolicy(const PolicyFile& file, const Planning& planning);

// The whole plan of `input`; `findings` are those of its reading. An error is the server's, while it was
// asked who is who.
struct PlanOptions {
  absl::CivilDay today;  // nothing is true on a later day
  bool unrecorded_is_absent =
      false;  // an empty cell of a sign-in sheet is an absence, and so the session can be completed
};
absl::StatusOr<Plan> MakePlan(const Input& input, Findings findings, Lookups lookups,
                              const PlanOptions& options);

}  // namespace qinglan::importing
