#include "services/qinglan/import/reading/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

// The one of comma, tab and semicolon that stands most often outside quotes in the first line that has any of
// them.
char Delimiter(std::string_view text) {
  size_t commas = 0;
  size_t tabs = 0;
  size_t semicolons = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') ++commas;
    if (c == '\t') ++tabs;
    if (c == ';') ++semicolons;
    if (c == '\n' && commas + tabs + semicolons > 0) break;
  }
  if (tabs > commas && tabs >= semicolons) return '\t';
  return semicolons > commas ? ';' : ',';
}

class Reader {
 public:
  Reader(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {}

  absl::Status Read(std::vector<Row>& rows) {
    while (at_ < text_.size()) {
      Row row;
      row.number = static_cast<int>(rows.size()) + 1;
      if (row.number > kRowsMax)
        return Invalid("", "FILE_TOO_MANY_ROWS", {{"limit", fmt::to_string(kRowsMax)}});
      do {
        Cell cell = ReadCell();
        cell.column = static_cast<int>(row.cells.size()) + 1;
        if (cell.column > kColumnsMax) {
          return Invalid("", "FILE_TOO_MANY_COLUMNS",
                         {{"row", fmt::to_string(row.number)}, {"limit", fmt::to_string(kColumnsMax)}});
        }
        row.cells.push_back(std::move(cell));
      } while (NextCell());
      rows.push_back(std::move(row));
    }
    return absl::OkStatus();
  }

 private:
  bool AtEnd() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }

  // Past the delimiter: true; past the end of the line, whichever it is: false.
  bool NextCell() {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c == delimiter_) return true;
    if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    return false;
  }

  Cell ReadCell() {
    Cell cell;
    if (at_ < text_.size() && text_[at_] == '"') {
      ReadQuoted(cell);
    } else {
      const size_t start = at_;
      while (!AtEnd() && text_[at_] != delimiter_) ++at_;
      cell.text = text_.substr(start, at_ - start);
      if (cell.text.find('"') != std::string::npos) cell.problem = "CELL_QUOTE_MISPLACED";
    }
    Check(cell);
    return cell;
  }

  void ReadQuoted(Cell& cell) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        cell.text += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell.text += text_[at_++];
      } else {
        break;
      }
    }
    if (at_ >= text_.size()) {
      cell.problem = "CELL_QUOTE_UNCLOSED";
      return;
    }
    ++at_;
    for (; !AtEnd() && text_[at_] != delimiter_; ++at_) {
      if (text_[at_] != ' ') cell.problem = "CELL_QUOTE_MISPLACED";
      cell.text += text_[at_];
    }
  }

  static void Check(Cell& cell) {
    const auto blank = cell.text.find_first_not_of(" \t\r\n");
    cell.kind = blank == std::string::npos ? CellKind::kEmpty : CellKind::kText;
    if (!cell.problem.empty()) return;
    if (cell.text.find('\0') != std::string::npos) {
      cell.problem = "CELL_NUL_BYTE";
    } else if (std::any_of(cell.text.begin(), cell.text.end(), [](char c) {
                 return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
                        c == 0x7F;
               })) {
      cell.problem = "CELL_CONTROL_CHARACTER";
    } else if (cell.text.size() > kCellBytesMax) {
      cell.problem = "CELL_TOO_LONG";
    }
  }

  std::string_view text_;
  char delimiter_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<Table> ReadCsv(std::string_view text, std::string_view file) {
  Table table;
  table.file = file;
  const absl::Status status = Reader(text, Delimiter(text)).Read(table.rows);
  if (!status.ok()) return status;
  return table;
}

}  // namespace qinglan::importing
