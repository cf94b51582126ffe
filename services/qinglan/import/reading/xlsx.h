// Excel workbooks (.xlsx, ECMA-376): every sheet that is not empty, as tables. Values only: what a person
// sees in the cells.
//
// Read from memory through libzip and pugixml (which expands no entities). What a file claims about itself is
// believed within limits only, so that a small file cannot become a big one.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>
#include <vector>

#include "services/qinglan/import/reading/table.h"

namespace qinglan::importing {

inline constexpr size_t kPartBytesMax = 64u << 20;    // one part of the package, unpacked
inline constexpr size_t kPartsBytesMax = 192u << 20;  // all that is read of it, unpacked
inline constexpr int kPartsMax = 2000;
inline constexpr int kSheetsMax = 64;
inline constexpr size_t kMergedCellsMax = 200'000;  // cells that merged regions of one sheet fill

// INVALID_ARGUMENT with reason FILE_NOT_A_WORKBOOK (no zip, a torn one, no workbook in it),
// FILE_WORKBOOK_DAMAGED {part}, FILE_OLD_EXCEL (.xls, or a workbook with a password), FILE_WORKBOOK_TOO_LARGE
// {part}, FILE_TOO_MANY_ROWS, FILE_TOO_MANY_COLUMNS {row}. Cells with a problem: CELL_FORMULA_WITHOUT_VALUE,
// CELL_FORMULA_ERROR ("#N/A"), CELL_DATE_SERIAL, CELL_TOO_LONG, CELL_CONTROL_CHARACTER.
//
// A cell inside a merged region shows the region's value and is marked `merged`; regions are filled only as
// far as the sheet has rows and columns with values.
absl::StatusOr<std::vector<Table>> ReadXlsx(std::string_view bytes, std::string_view file);

}  // namespace qinglan::importing
