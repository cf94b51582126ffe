#include "services/qinglan/import/reading/xlsx.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "services/qinglan/import/reading/package.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

struct Workbook {
  std::vector<std::string> shared_strings;
  std::vector<bool> date_styles;  // by style index
  bool counts_from_1904 = false;
};

// --- styles
// ---------------------------------------------------------------------------------------------------------

// Number formats that show a date, by the numbers that ECMA-376 18.8.30 gives them, those of Chinese Excel
// included.
bool IsBuiltInDateFormat(int id) {
  return (id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) ||
         id == 57 || id == 58;
}

// A format of one's own shows a date when a year or a day stands in it outside quotes and brackets.
bool IsDateFormat(std::string_view code) {
  bool quoted = false;
  bool bracketed = false;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == ']')) {
      bracketed = c == '[';
    } else if (!quoted && !bracketed && (c == 'y' || c == 'Y' || c == 'd' || c == 'D')) {
      return true;
    }
  }
  return false;
}

void ReadStyles(const pugi::xml_node& root, Workbook& book) {
  std::map<int, bool> own_formats;
  for (const pugi::xml_node& format : ChildNamed(root, "numFmts").children()) {
    own_formats[format.attribute("numFmtId").as_int()] = IsDateFormat(format.attribute("formatCode").value());
  }
  for (const pugi::xml_node& style : ChildNamed(root, "cellXfs").children()) {
    const int id = style.attribute("numFmtId").as_int();
    const auto own = own_formats.find(id);
    book.date_styles.push_back(own != own_formats.end() ? own->second : IsBuiltInDateFormat(id));
  }
}

// --- cells
// ----------------------------------------------------------------------------------------------------------

// The text of <si> or <is>: plain, or runs of rich text; not the phonetic guide.
std::string TextOf(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (LocalName(child) == "t") text += child.text().get();
    if (LocalName(child) == "r") text += ChildNamed(child, "t").text().get();
  }
  return text;
}

// Days are counted from 1899-12-30 because Excel counts a 29 February 1900 that never was: below 61 it is not
// to be trusted.
std::string DateOfSerial(double serial, bool from_1904) {
  constexpr double kFirst = 61;
  constexpr double kLast = 109'574;  // 2199-12-31
  const double days = from_1904 ? serial + 1462 : serial;
  if (!(days >= kFirst && days < kLast + 1)) return "";
  return runtime::IsoDate(absl::CivilDay(1899, 12, 30) + static_cast<int64_t>(std::floor(days)));
}

void SetNumber(std::string_view raw, bool date, const Workbook& book, Cell& cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  cell.kind = CellKind::kNumber;
  cell.text = raw;
  if (error != std::errc() || end != raw.data() + raw.size()) {
    cell.kind = CellKind::kText;
    return;
  }
  if (date) {
    cell.kind = CellKind::kDate;
    const std::string day = DateOfSerial(value, book.counts_from_1904);
    if (day.empty()) cell.problem = "CELL_DATE_SERIAL";
    if (!day.empty()) cell.text = day;
    return;
  }
  // 0.30000000000000004 is 0.3 to the person at the sheet; a number of more than 15 digits has lost some and
  // stays raw.
  if (std::abs(value) < 1e15) cell.text = fmt::format("{:.15g}", value);
}

Cell CellOf(const pugi::xml_node& node, const Workbook& book) {
  Cell cell;
  const std::string_view type = node.attribute("t").as_string("n");
  const std::string_view value = ChildNamed(node, "v").text().get();
  const size_t style = node.attribute("s").as_uint();
  if (type == "s") {
    const size_t index = ChildNamed(node, "v").text().as_uint(UINT32_MAX);
    if (index >= book.shared_strings.size()) cell.problem = "CELL_SHARED_TEXT_MISSING";
    if (cell.problem.empty()) cell.text = book.shared_strings[index];
    cell.kind = CellKind::kText;
  } else if (type == "inlineStr") {
    cell.text = TextOf(ChildNamed(node, "is"));
    cell.kind = CellKind::kText;
  } else if (type == "e") {
    cell.text = value;
    cell.kind = CellKind::kText;
    cell.problem = "CELL_FORMULA_ERROR";
  } else if (type == "d") {
    cell.text = value.substr(0, value.find('T'));
    cell.kind = CellKind::kDate;
  } else if (type == "b") {
    cell.text = value == "1" ? "TRUE" : "FALSE";
    cell.kind = CellKind::kText;
  } else if (type == "str") {
    cell.text = value;
    cell.kind = CellKind::kText;
  } else if (!value.empty()) {
    SetNumber(value, style < book.date_styles.size() && book.date_styles[style], book, cell);
  }
  if (!ChildNamed(node, "v") && ChildNamed(node, "f")) cell.problem = "CELL_FORMULA_WITHOUT_VALUE";
  if (cell.problem.empty() && cell.text.find_first_not_of(" \t\r\n") == std::string::npos)
    cell.kind = CellKind::kEmpty;
  if (cell.text.size() > kCellBytesMax) cell.problem = "CELL_TOO_LONG";
  return cell;
}

// --- places
// ---------------------------------------------------------------------------------------------------------

struct Place {
  int row = 0;
  int column = 0;
};

// "AB12"; nothing when it is not a place.
std::optional<Place> PlaceOf(std::string_view name) {
  Place place;
  size_t i = 0;
  for (; i < name.size() && i < 3 && name[i] >= 'A' && name[i] <= 'Z'; ++i)
    place.column = place.column * 26 + (name[i] - 'A' + 1);
  const auto [end, error] = std::from_chars(name.data() + i, name.data() + name.size(), place.row);
  if (i == 0 || error != std::errc() || end != name.data() + name.size() || place.row < 1)
    return std::nullopt;
  return place;
}

struct Region {
  Place first;
  Place last;
};

std::vector<Region> MergedRegions(const pugi::xml_node& sheet) {
  std::vector<Region> regions;
  for (const pugi::xml_node& merge : ChildNamed(sheet, "mergeCells").children()) {
    const std::string_view name = merge.attribute("ref").value();
    const size_t colon = name.find(':');
    if (colon == std::string_view::npos) continue;
    const auto first = PlaceOf(name.substr(0, colon));
    const auto last = PlaceOf(name.substr(colon + 1));
    if (first && last && first->row <= last->row && first->column <= last->column)
      regions.push_back({*first, *last});
  }
  return regions;
}

using Grid = std::map<int, std::map<int, Cell>>;  // row → column → cell

absl::Status FillMerged(const std::vector<Region>& regions, int columns, Grid& grid) {
  size_t filled = 0;
  for (const Region& region : regions) {
    const auto row = grid.find(region.first.row);
    if (row == grid.end()) continue;
    const auto found = row->second.find(region.first.column);
    if (found == row->second.end() || found->second.kind == CellKind::kEmpty) continue;
    const Cell shown = found->second;
    for (auto target = row; target != grid.end() && target->first <= region.last.row; ++target) {
      for (int column = region.first.column; column <= std::min(region.last.column, columns); ++column) {
        if (target == row && column == region.first.column) continue;
        if (++filled > kMergedCellsMax)
          return Invalid("", "FILE_WORKBOOK_TOO_LARGE", {{"part", "mergeCells"}});
        Cell& cell = target->second[column];
        cell = shown;
        cell.column = column;
        cell.merged = true;
      }
    }
  }
  return absl::OkStatus();
}

// --- sheets
// ---------------------------------------------------------------------------------------------------------

absl::Status AddCell(const pugi::xml_node& node, const Workbook& book, int row_number, int& column,
                     std::map<int, Cell>& row) {
  if (const std::string_view name = node.attribute("r").value(); !name.empty()) {
    const auto place = PlaceOf(name);
    if (!place || place->row != row_number)
      return Invalid("", "FILE_WORKBOOK_DAMAGED", {{"part", std::string(name)}});
    column = place->column;
  } else {
    ++column;
  }
  Cell cell = CellOf(node, book);
  if (cell.kind == CellKind::kEmpty && cell.problem.empty()) return absl::OkStatus();
  if (column > kColumnsMax) {
    return Invalid("", "FILE_TOO_MANY_COLUMNS",
                   {{"row", fmt::to_string(row_number)}, {"limit", fmt::to_string(kColumnsMax)}});
  }
  cell.column = column;
  row[column] = std::move(cell);
  return absl::OkStatus();
}

absl::StatusOr<Table> ReadSheet(const pugi::xml_node& sheet, const Workbook& book) {
  Grid grid;
  int row_number = 0;
  int columns = 0;
  for (const pugi::xml_node& row : ChildNamed(sheet, "sheetData").children()) {
    row_number = row.attribute("r").as_int(row_number + 1);
    if (row_number < 1) return Invalid("", "FILE_WORKBOOK_DAMAGED", {{"part", "row"}});
    std::map<int, Cell> cells;
    int column = 0;
    for (const pugi::xml_node& node : row.children())
      QL_RETURN_IF_ERROR(AddCell(node, book, row_number, column, cells));
    if (cells.empty() && grid.find(row_number) != grid.end()) continue;
    if (!cells.empty() && row_number > kRowsMax)
      return Invalid("", "FILE_TOO_MANY_ROWS", {{"limit", fmt::to_string(kRowsMax)}});
    if (!cells.empty()) columns = std::max(columns, cells.rbegin()->first);
    if (row_number <= kRowsMax) grid[row_number] = std::move(cells);
  }
  QL_RETURN_IF_ERROR(FillMerged(MergedRegions(sheet), columns, grid));
  Table table;
  for (auto& [number, cells] : grid) {
    Row row;
    row.number = number;
    for (auto& [column, cell] : cells) row.cells.push_back(std::move(cell));
    table.rows.push_back(std::move(row));
  }
  while (!table.rows.empty() && table.rows.back().Blank()) table.rows.pop_back();
  return table;
}

absl::Status ReadShared(Package& package, const std::map<std::string, Package::Relation>& relations,
                        Workbook& book) {
  for (const auto& [id, relation] : relations) {
    if (relation.type == "styles") {
      QL_ASSIGN_OR_RETURN(const auto styles, package.Xml(relation.target));
      ReadStyles(styles->document_element(), book);
    } else if (relation.type == "sharedStrings") {
      QL_ASSIGN_OR_RETURN(const auto strings, package.Xml(relation.target));
      for (const pugi::xml_node& node : strings->document_element().children())
        book.shared_strings.push_back(TextOf(node));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Table>> ReadXlsx(std::string_view bytes, std::string_view file) {
  if (bytes.empty()) return Invalid("", "FILE_EMPTY");
  if (bytes.starts_with("\xD0\xCF\x11\xE0")) return Invalid("", "FILE_OLD_EXCEL");
  QL_ASSIGN_OR_RETURN(const auto package, Package::Open(bytes));
  std::string workbook_part;
  QL_ASSIGN_OR_RETURN(const auto roots, package->Relations(""));
  for (const auto& [id, relation] : roots) {
    if (relation.type == "officeDocument") workbook_part = relation.target;
  }
  if (workbook_part.empty()) return Invalid("", "FILE_NOT_A_WORKBOOK");
  QL_ASSIGN_OR_RETURN(const auto workbook, package->Xml(workbook_part));
  QL_ASSIGN_OR_RETURN(const auto relations, package->Relations(workbook_part));
  Workbook book;
  book.counts_from_1904 =
      ChildNamed(workbook->document_element(), "workbookPr").attribute("date1904").as_bool();
  QL_RETURN_IF_ERROR(ReadShared(*package, relations, book));
  std::vector<Table> tables;
  int sheets = 0;
  for (const pugi::xml_node& node : ChildNamed(workbook->document_element(), "sheets").children()) {
    if (++sheets > kSheetsMax) return Invalid("", "FILE_WORKBOOK_TOO_LARGE", {{"part", "sheets"}});
    const auto relation = relations.find(node.attribute("r:id").value());
    if (relation == relations.end() || relation->second.type != "worksheet") continue;
    QL_ASSIGN_OR_RETURN(const auto sheet, package->Xml(relation->second.target));
    QL_ASSIGN_OR_RETURN(Table table, ReadSheet(sheet->document_element(), book));
    table.file = file;
    table.sheet = node.attribute("name").value();
    if (!table.rows.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace qinglan::importing
