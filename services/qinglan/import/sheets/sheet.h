// Which of the known sheets a table is, and where its columns are: the header row is found by its words
// (words.json), below any title, in any order of columns, in Chinese or English.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/qinglan/import/reading/table.h"
#include "services/qinglan/import/sheets/finding.h"

namespace qinglan::importing {

enum class SheetKind {
  kRosterManifest,
  kRosterOrgs,
  kRosterUsers,
  kRosterRoles,
  kAttendance,
  kObservations,
  kPairings,
  kOutputs,
};

// "attendance", "roster_users": the kind's name in words.json and in reports.
std::string_view NameOf(SheetKind kind);

// A header row is looked for in the first rows only: what stands further down is data.
inline constexpr size_t kHeaderSearchRowsMax = 20;

// A table whose header was understood.
struct Sheet {
  SheetKind kind = SheetKind::kAttendance;
  Table table;
  size_t header_index = 0;             // in table.rows
  std::map<std::string, int> columns;  // the column's name in words.json → column number
  std::vector<int> block_columns;      // of a sign-in sheet: the half-days, from left to right

  const Row& Header() const { return table.rows[header_index]; }
  int ColumnOf(std::string_view name) const;  // 0 when the sheet has none
};

// Understands `table`. Nothing, with findings, when it cannot be: SHEET_NOT_RECOGNISED, SHEET_COLUMN_MISSING
// {column}, SHEET_COLUMN_TWICE {column}, SHEET_HEADER_MERGED {column}, SHEET_WITHOUT_ROWS. Columns that no
// command needs are noted: SHEET_COLUMN_UNUSED {column}.
std::optional<Sheet> Recognise(Table table, Findings& findings);

// Whether a header's text is a half-day ("20日上午", "9月20日下午", "2025-09-20 上午").
bool IsBlockHeader(std::string_view text);

}  // namespace qinglan::importing
