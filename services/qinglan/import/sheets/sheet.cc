#include "services/qinglan/import/sheets/sheet.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

#include "services/qinglan/import/reading/cells.h"
#include "services/qinglan/import/sheets/block.h"
#include "services/qinglan/import/words.h"

namespace qinglan::importing {
namespace {

constexpr std::array<std::pair<SheetKind, std::string_view>, 8> kNames = {{
    {SheetKind::kRosterManifest, "roster_manifest"},
    {SheetKind::kRosterOrgs, "roster_orgs"},
    {SheetKind::kRosterUsers, "roster_users"},
    {SheetKind::kRosterRoles, "roster_roles"},
    {SheetKind::kAttendance, "attendance"},
    {SheetKind::kObservations, "observations"},
    {SheetKind::kPairings, "pairings"},
    {SheetKind::kOutputs, "outputs"},
}};

// Header words are compared without space and case.
std::string HeaderWord(std::string_view text) {
  std::string word = Normalise(text);
  std::erase(word, ' ');
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

// What one row would be as the header of one kind of sheet.
struct Reading {
  SheetKind kind = SheetKind::kAttendance;
  size_t index = 0;
  std::map<std::string, int> columns;
  std::vector<int> block_columns;
  std::vector<int> unused;
  int twice = 0;   // the column whose word an earlier one has already
  int merged = 0;  // a word that stretches over several columns
  bool telling = false;

  size_t Matches() const { return columns.size() + block_columns.size(); }
};

// The column that a header's word means on this kind of sheet; empty when it means none.
std::string ColumnMeant(SheetKind kind, const std::string& word) {
  static const auto* const meanings = [] {
    auto* all = new std::map<std::pair<std::string, std::string>, std::string>();
    for (const auto& [sheet, words] : Words().at("sheets").items()) {
      for (const auto& [name, synonyms] : words.at("columns").items()) {
        for (const auto& synonym : synonyms) (*all)[{sheet, HeaderWord(synonym.get<std::string>())}] = name;
      }
    }
    return all;
  }();
  const auto found = meanings->find({std::string(NameOf(kind)), word});
  return found == meanings->end() ? "" : found->second;
}

Reading ReadAs(SheetKind kind, const Row& row, size_t index) {
  const auto& words = Words().at("sheets").at(std::string(NameOf(kind)));
  Reading reading;
  reading.kind = kind;
  reading.index = index;
  for (const Cell& cell : row.cells) {
    if (cell.kind == CellKind::kEmpty) continue;
    const std::string name = ColumnMeant(kind, HeaderWord(cell.text));
    if (!name.empty() && cell.merged) {
      reading.merged = reading.merged == 0 ? cell.column : reading.merged;
    } else if (!name.empty()) {
      const bool first = reading.columns.emplace(name, cell.column).second;
      if (!first && reading.twice == 0) reading.twice = cell.column;
    } else if (kind == SheetKind::kAttendance && IsBlockHeader(cell.text)) {
      reading.block_columns.push_back(cell.column);
    } else {
      reading.unused.push_back(cell.column);
    }
  }
  for (const auto& name : words.at("telling")) {
    const auto wanted = name.get<std::string>();
    reading.telling |= wanted == "block" ? !reading.block_columns.empty() : reading.columns.contains(wanted);
  }
  return reading;
}

std::optional<Reading> BestReading(const Table& table) {
  std::optional<Reading> best;
  for (size_t i = 0; i < std::min(table.rows.size(), kHeaderSearchRowsMax); ++i) {
    for (const auto& [kind, name] : kNames) {
      Reading reading = ReadAs(kind, table.rows[i], i);
      // One word of a header can stand in a title or among the data; two are a header.
      if (!reading.telling || reading.Matches() < 2) continue;
      if (!best || reading.Matches() > best->Matches()) best = std::move(reading);
    }
  }
  return best;
}

Finding At(const Table& table, int row, int column, std::string_view rule) {
  Finding finding;
  finding.file = table.file;
  finding.sheet = table.sheet;
  finding.row = row;
  finding.column = column;
  finding.rule = rule;
  return finding;
}

// The first required column that is not there, by its first name.
std::string MissingColumn(const Reading& reading) {
  const auto& words = Words().at("sheets").at(std::string(NameOf(reading.kind)));
  for (const auto& name : words.at("required")) {
    const auto wanted = name.get<std::string>();
    if (wanted == "block" && reading.block_columns.empty()) return "上午/下午";
    if (wanted != "block" && !reading.columns.contains(wanted)) return words.at("columns").at(wanted).at(0);
  }
  return "";
}

bool HasDataIn(const Table& table, size_t header_index, int column) {
  for (size_t i = header_index + 1; i < table.rows.size(); ++i) {
    if (table.rows[i].At(column).kind != CellKind::kEmpty) return true;
  }
  return false;
}

void NoteUnused(const Table& table, const Reading& reading, Findings& findings) {
  for (const int column : reading.unused) {
    if (!HasDataIn(table, reading.index, column)) continue;
    Finding finding = At(table, table.rows[reading.index].number, column, "SHEET_COLUMN_UNUSED");
    finding.weight = Weight::kNote;
    finding.parameters["column"] = Normalise(table.rows[reading.index].At(column).text);
    findings.push_back(std::move(finding));
  }
}

// What makes the header unusable.
std::optional<Finding> HeaderFault(const Table& table, const Reading& reading) {
  const Row& header = table.rows[reading.index];
  for (const Cell& cell : header.cells) {
    if (!cell.problem.empty()) return At(table, header.number, cell.column, cell.problem);
  }
  const std::pair<int, std::string_view> faults[] = {{reading.merged, "SHEET_HEADER_MERGED"},
                                                     {reading.twice, "SHEET_COLUMN_TWICE"}};
  for (const auto& [column, rule] : faults) {
    if (column == 0) continue;
    Finding finding = At(table, header.number, column, rule);
    finding.parameters["column"] = Normalise(header.At(column).text);
    return finding;
  }
  if (const std::string missing = MissingColumn(reading); !missing.empty()) {
    Finding finding = At(table, header.number, 0, "SHEET_COLUMN_MISSING");
    finding.parameters["column"] = missing;
    return finding;
  }
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(SheetKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "";
}

int Sheet::ColumnOf(std::string_view name) const {
  const auto found = columns.find(std::string(name));
  return found == columns.end() ? 0 : found->second;
}

bool IsBlockHeader(std::string_view text) { return ParseBlockHeader(text).has_value(); }

std::optional<Sheet> Recognise(Table table, Findings& findings) {
  auto reading = BestReading(table);
  if (!reading) {
    findings.push_back(At(table, 0, 0, "SHEET_NOT_RECOGNISED"));
    return std::nullopt;
  }
  if (auto fault = HeaderFault(table, *reading)) {
    findings.push_back(*std::move(fault));
    return std::nullopt;
  }
  const bool has_rows = std::any_of(table.rows.begin() + static_cast<std::ptrdiff_t>(reading->index) + 1,
                                    table.rows.end(), [](const Row& row) { return !row.Blank(); });
  if (!has_rows) {
    findings.push_back(At(table, table.rows[reading->index].number, 0, "SHEET_WITHOUT_ROWS"));
    return std::nullopt;
  }
  NoteUnused(table, *reading, findings);
  Sheet sheet;
  sheet.kind = reading->kind;
  sheet.header_index = reading->index;
  sheet.columns = std::move(reading->columns);
  sheet.block_columns = std::move(reading->block_columns);
  sheet.table = std::move(table);
  return sheet;
}

}  // namespace qinglan::importing
