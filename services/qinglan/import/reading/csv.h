// CSV as RFC 4180 has it, and as offices really write it: commas, semicolons or tabs, any line end.
//
// An own reader because of what an import must say: which row and which column of the spreadsheet is broken.
// libcsv, the one that Debian keeps for C and C++, drops blank lines (every later row would be reported under
// a wrong number), takes a stray quote for text, and tells no column.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "services/qinglan/import/reading/table.h"

namespace qinglan::importing {

// `text` is UTF-8. A cell that is broken bears its problem and the reading goes on: CELL_QUOTE_MISPLACED,
// CELL_QUOTE_UNCLOSED (all that follows belongs to that cell, so it is the last), CELL_NUL_BYTE,
// CELL_CONTROL_CHARACTER, CELL_TOO_LONG. RESOURCE_EXHAUSTED with reason FILE_TOO_MANY_ROWS or
// FILE_TOO_MANY_COLUMNS {row}.
absl::StatusOr<Table> ReadCsv(std::string_view text, std::string_view file);

}  // namespace qinglan::importing
