// What every reader makes of a file: tables of cells, each of which remembers where it stood, so that
// whatever is wrong with it can be said by file, row and column.
//
// The namespace is `importing`, not the folder's name: `import` begins a module declaration in C++20.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qinglan::importing {

enum class CellKind {
  kEmpty,
  kText,
  kNumber,  // the file says that it is a number: Excel may have damaged a long one
  kDate,    // the file says that it is a date; `text` is ISO 8601
};

struct Cell {
  CellKind kind = CellKind::kEmpty;
  std::string text;     // UTF-8, as the file has it; no normalisation yet
  int column = 0;       // 1-based
  bool merged = false;  // shows the value of a merged region whose first cell is another one
  // What is wrong with the cell itself (a reason of messages.json: "CELL_NUL_BYTE"); empty when nothing is.
  // The row that uses such a cell is refused.
  std::string problem;
};

struct Row {
  int number =
      0;  // 1-based, as a spreadsheet shows it: blank lines count, a line feed inside quotes does not
  std::vector<Cell> cells;
  bool Blank() const;
  // The cell of that column; an empty one past the row's end.
  const Cell& At(int column) const;
};

struct Table {
  std::string file;   // its name, without the folder
  std::string sheet;  // empty for a CSV file
  std::vector<Row> rows;
};

// "A", "Z", "AA": a column's name in a spreadsheet.
std::string ColumnName(int column);

// The limits of what is read; whatever is beyond is refused with a reason, never cut.
inline constexpr size_t kFileBytesMax = 64u << 20;
inline constexpr size_t kCellBytesMax = 32u << 10;
inline constexpr int kRowsMax = 200'000;
inline constexpr int kColumnsMax = 512;

}  // namespace qinglan::importing
