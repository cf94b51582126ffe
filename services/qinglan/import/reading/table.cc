#include "services/qinglan/import/reading/table.h"

#include <algorithm>

namespace qinglan::importing {

bool Row::Blank() const {
  return std::all_of(cells.begin(), cells.end(),
                     [](const Cell& cell) { return cell.kind == CellKind::kEmpty && cell.problem.empty(); });
}

const Cell& Row::At(int column) const {
  static const Cell kNone;
  for (const Cell& cell : cells) {
    if (cell.column == column) return cell;
  }
  return kNone;
}

std::string ColumnName(int column) {
  std::string name;
  for (; column > 0; column = (column - 1) / 26)
    name.insert(name.begin(), static_cast<char>('A' + (column - 1) % 26));
  return name;
}

}  // namespace qinglan::importing
