// One row of a sheet, read cell by cell by the columns' names; whatever is wrong with a cell becomes a
// finding with its place, and the row refused.
#pragma once

#include <absl/status/status.h>
#include <absl/time/civil_time.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/qinglan/import/reading/cells.h"
#include "services/qinglan/import/sheets/sheet.h"

namespace qinglan::importing {

// The rows below the header that say something: not the blank ones, not the totals (合计) and not the notes
// under the sheet.
std::vector<const Row*> DataRows(const Sheet& sheet);

// Bound to one row while it is planned. A required cell that is empty is CELL_REQUIRED; of an optional one,
// or of a column that the sheet has not, an empty value is given.
class RowReader {
 public:
  // Refuses at once: ROW_HEADER_REPEATED, ROW_TOO_MANY_CELLS, ROW_CELLS_MISSING, and a cell with a problem of
  // its own.
  RowReader(const Sheet& sheet, const Row& row, Findings& findings);

  bool refused() const { return refused_; }
  const Row& row() const { return *row_; }
  const Sheet& sheet() const { return *sheet_; }

  std::string Text(std::string_view column) const;  // normalised
  std::string Required(std::string_view column);
  std::string Id(std::string_view column);    // required
  std::string Name(std::string_view column);  // optional
  std::optional<absl::CivilDay> Day(std::string_view column);
  std::optional<absl::CivilDay> OptionalDay(std::string_view column);
  std::optional<MonthOrDay> Month(std::string_view column);
  std::optional<scale::v1::Level> Level(std::string_view column);
  std::optional<int> Whole(std::string_view column, int min, int max);  // CELL_OUT_OF_RANGE {min, max}
  std::optional<double> OptionalNumber(std::string_view column, double min, double max);
  std::optional<bool> OptionalYesNo(std::string_view column);

  // The columns' number for a finding; 0 when the sheet has none of that name.
  int ColumnOf(std::string_view column) const { return sheet_->ColumnOf(column); }
  const Cell& At(int column) const { return row_->At(column); }

  void Reject(std::string_view column, std::string_view rule,
              std::map<std::string, std::string> parameters = {});
  void RejectAt(int column, std::string_view rule, std::map<std::string, std::string> parameters = {});
  void UnclearAt(int column, std::string_view rule, std::map<std::string, std::string> parameters = {});
  void Note(std::string_view column, std::string_view rule,
            std::map<std::string, std::string> parameters = {});

  // What the row says, whatever the order of its columns and the way its cells are spaced.
  std::string Canonical() const;

 private:
  const Cell& CellOf(std::string_view column) const;
  bool Filled(std::string_view column);
  void Add(Weight weight, int column, std::string_view rule, std::map<std::string, std::string> parameters);
  template <class T>
  std::optional<T> Parsed(std::string_view column, absl::StatusOr<T> parsed);

  const Sheet* sheet_;
  const Row* row_;
  Findings* findings_;
  bool refused_ = false;
};

}  // namespace qinglan::importing
