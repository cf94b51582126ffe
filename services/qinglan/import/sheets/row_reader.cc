#include "services/qinglan/import/sheets/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "services/qinglan/import/words.h"

namespace qinglan::importing {
namespace {

const Cell* FirstFilled(const Row& row) {
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kEmpty) return &cell;
  }
  return nullptr;
}

bool IsTotal(const Row& row) {
  const Cell* first = FirstFilled(row);
  if (first == nullptr) return false;
  std::string word = Normalise(first->text);
  std::erase(word, ' ');
  const auto& totals = Words().at("total_words");
  return std::any_of(totals.begin(), totals.end(),
                     [&](const auto& total) { return total.template get<std::string>() == word; });
}

// A line of text under the sheet: one cell (or one merged over the row) that begins like a note.
bool IsFooter(const Row& row) {
  const Cell* first = FirstFilled(row);
  if (first == nullptr) return false;
  const bool alone = std::all_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
    return cell.kind == CellKind::kEmpty || cell.merged || &cell == first;
  });
  const std::string text = Normalise(first->text);
  const auto& words = Words().at("footer_words");
  return alone && std::any_of(words.begin(), words.end(), [&](const auto& word) {
           return text.starts_with(word.template get<std::string>());
         });
}

bool SameTexts(const Row& header, const Row& row) {
  size_t filled = 0;
  for (const Cell& cell : header.cells) {
    if (cell.kind == CellKind::kEmpty) continue;
    ++filled;
    if (Normalise(cell.text) != Normalise(row.At(cell.column).text)) return false;
  }
  return filled > 0;
}

}  // namespace

std::vector<const Row*> DataRows(const Sheet& sheet) {
  std::vector<const Row*> rows;
  for (size_t i = sheet.header_index + 1; i < sheet.table.rows.size(); ++i) {
    const Row& row = sheet.table.rows[i];
    if (!row.Blank() && !IsTotal(row) && !IsFooter(row)) rows.push_back(&row);
  }
  return rows;
}

RowReader::RowReader(const Sheet& sheet, const Row& row, Findings& findings)
    : sheet_(&sheet), row_(&row), findings_(&findings) {
  if (SameTexts(sheet.Header(), row)) RejectAt(0, "ROW_HEADER_REPEATED");
  for (const Cell& cell : row.cells) {
    if (!cell.problem.empty()) RejectAt(cell.column, cell.problem);
  }
  // A CSV file has as many cells in every row: one too many is a comma that stood in a text, one too few a
  // torn line.
  const bool is_csv = sheet.table.sheet.empty();
  const auto expected = static_cast<int>(sheet.Header().cells.size());
  if (!is_csv || refused_) return;
  for (const Cell& cell : row.cells) {
    if (cell.column > expected && cell.kind != CellKind::kEmpty) {
      RejectAt(cell.column, "ROW_TOO_MANY_CELLS", {{"expected", fmt::to_string(expected)}});
      return;
    }
  }
  const auto count = static_cast<int>(row.cells.size());
  if (count < expected) RejectAt(count, "ROW_CELLS_MISSING", {{"expected", fmt::to_string(expected)}});
}

const Cell& RowReader::CellOf(std::string_view column) const { return row_->At(ColumnOf(column)); }

bool RowReader::Filled(std::string_view column) {
  const Cell& cell = CellOf(column);
  if (cell.kind == CellKind::kEmpty && cell.problem.empty()) Reject(column, "CELL_REQUIRED");
  return cell.kind != CellKind::kEmpty && cell.problem.empty();
}

template <class T>
std::optional<T> RowReader::Parsed(std::string_view column, absl::StatusOr<T> parsed) {
  if (parsed.ok()) return *std::move(parsed);
  Reject(column, RuleOf(parsed.status()));
  return std::nullopt;
}

std::string RowReader::Text(std::string_view column) const { return Normalise(CellOf(column).text); }

std::string RowReader::Required(std::string_view column) { return Filled(column) ? Text(column) : ""; }

std::string RowReader::Id(std::string_view column) {
  if (!Filled(column)) return "";
  const Cell& cell = CellOf(column);
  return Parsed(column, ParseId(cell.text, cell.kind == CellKind::kNumber)).value_or("");
}

std::string RowReader::Name(std::string_view column) {
  const Cell& cell = CellOf(column);
  if (cell.kind == CellKind::kEmpty || !cell.problem.empty()) return "";
  return Parsed(column, ParseName(cell.text)).value_or("");
}

std::optional<absl::CivilDay> RowReader::Day(std::string_view column) {
  if (!Filled(column)) return std::nullopt;
  return Parsed(column, ParseDay(CellOf(column).text));
}

std::optional<absl::CivilDay> RowReader::OptionalDay(std::string_view column) {
  if (CellOf(column).kind == CellKind::kEmpty) return std::nullopt;
  return Day(column);
}

std::optional<MonthOrDay> RowReader::Month(std::string_view column) {
  if (!Filled(column)) return std::nullopt;
  return Parsed(column, ParseMonth(CellOf(column).text));
}

std::optional<scale::v1::Level> RowReader::Level(std::string_view column) {
  if (!Filled(column)) return std::nullopt;
  return Parsed(column, ParseLevel(CellOf(column).text));
}

std::optional<int> RowReader::Whole(std::string_view column, int min, int max) {
  if (!Filled(column)) return std::nullopt;
  const auto value = Parsed(column, ParseWhole(CellOf(column).text));
  if (!value || (*value >= min && *value <= max)) return value;
  Reject(column, "CELL_OUT_OF_RANGE", {{"min", fmt::to_string(min)}, {"max", fmt::to_string(max)}});
  return std::nullopt;
}

std::optional<double> RowReader::OptionalNumber(std::string_view column, double min, double max) {
  if (CellOf(column).kind == CellKind::kEmpty || !Filled(column)) return std::nullopt;
  const auto value = Parsed(column, ParseNumber(CellOf(column).text));
  if (!value || (*value >= min && *value <= max)) return value;
  Reject(column, "CELL_OUT_OF_RANGE", {{"min", fmt::format("{:g}", min)}, {"max", fmt::format("{:g}", max)}});
  return std::nullopt;
}

std::optional<bool> RowReader::OptionalYesNo(std::string_view column) {
  if (CellOf(column).kind == CellKind::kEmpty || !Filled(column)) return std::nullopt;
  return Parsed(column, ParseYesNo(CellOf(column).text));
}

void RowReader::Reject(std::string_view column, std::string_view rule,
                       std::map<std::string, std::string> parameters) {
  RejectAt(ColumnOf(column), rule, std::move(parameters));
}

void RowReader::RejectAt(int column, std::string_view rule, std::map<std::string, std::string> parameters) {
  refused_ = true;
  Add(Weight::kRefused, column, rule, std::move(parameters));
}

void RowReader::UnclearAt(int column, std::string_view rule, std::map<std::string, std::string> parameters) {
  Add(Weight::kUnclear, column, rule, std::move(parameters));
}

void RowReader::Note(std::string_view column, std::string_view rule,
                     std::map<std::string, std::string> parameters) {
  Add(Weight::kNote, ColumnOf(column), rule, std::move(parameters));
}

void RowReader::Add(Weight weight, int column, std::string_view rule,
                    std::map<std::string, std::string> parameters) {
  findings_->push_back(Finding{weight, sheet_->table.file, sheet_->table.sheet, row_->number, column,
                               std::string(rule), std::move(parameters)});
}

std::string RowReader::Canonical() const {
  std::string canonical;
  const auto add = [&](const std::string& name, int column) {
    std::string text = Normalise(row_->At(column).text);
    std::erase(text, ' ');
    canonical += name + '=' + text + '\n';
  };
  for (const auto& [name, column] : sheet_->columns) {
    if (name != "ordinal") add(name, column);
  }
  for (const int column : sheet_->block_columns) add("", column);
  return canonical;
}

}  // namespace qinglan::importing
