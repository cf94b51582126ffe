#include "services/qinglan/import/applying/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "services/qinglan/import/words.h"

namespace qinglan::importing {
namespace {

using runtime::Language;

std::string Label(Language language, const std::string& name) {
  const auto& labels = Words().at("labels").at(language == Language::kEnglish ? "en" : "zh");
  return labels.contains(name) ? labels.at(name).get<std::string>() : name;
}

std::string Sentence(const Finding& finding, Language language) {
  const std::string& said = language == Language::kEnglish ? finding.english : finding.chinese;
  return said.empty() ? runtime::Sentence(language, finding.rule, finding.parameters) : said;
}

std::string WeightName(Weight weight) {
  return weight == Weight::kRefused ? "refused" : weight == Weight::kUnclear ? "unclear" : "note";
}

RowRef RefOf(const Finding& finding) { return {finding.file, finding.sheet, finding.row}; }

// How wide a terminal shows it: characters outside Latin take two columns.
size_t Width(const std::string& text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) width += 1;
    if (byte >= 0xC0) width += 2;
  }
  return width;
}

std::string Padded(const std::string& text, size_t width) {
  return text + std::string(width > Width(text) ? width - Width(text) : 1, ' ');
}

std::string Line(const Finding& finding, Language language) {
  std::string place = finding.file;
  if (!finding.sheet.empty()) place += fmt::format(" [{}]", finding.sheet);
  if (finding.row > 0) place += " " + fmt::format(fmt::runtime(Label(language, "row")), finding.row);
  if (finding.column > 0)
    place += " " + fmt::format(fmt::runtime(Label(language, "column")), ColumnName(finding.column));
  return fmt::format("  {}: {} ({}, {})\n", place, Sentence(finding, language),
                     Label(language, WeightName(finding.weight) + "_mark"), finding.rule);
}

}  // namespace

bool Report::AllPlaced() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.weight == Weight::kNote; });
}

std::vector<Outcome> Foreseen(const Plan& plan, const std::set<std::string>& recorded) {
  std::vector<Outcome> outcomes;
  for (const Command& command : plan.commands) {
    outcomes.push_back(recorded.contains(command.request_id()) ? Outcome::kThere : Outcome::kNew);
  }
  return outcomes;
}

Report MakeReport(const Plan& plan, std::vector<std::string> files, const std::vector<Outcome>& outcomes,
                  Findings server_findings) {
  Report report;
  report.files = std::move(files);
  report.findings = plan.findings;
  report.findings.insert(report.findings.end(), std::make_move_iterator(server_findings.begin()),
                         std::make_move_iterator(server_findings.end()));
  std::stable_sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.sheet, a.row, a.column) < std::tie(b.file, b.sheet, b.row, b.column);
  });
  std::set<RowRef> refused;
  std::set<RowRef> unclear;
  for (const Finding& finding : report.findings) {
    if (finding.weight == Weight::kRefused) refused.insert(RefOf(finding));
    if (finding.weight == Weight::kUnclear) unclear.insert(RefOf(finding));
  }
  std::map<RowRef, bool> placed;  // → whether anything of it is new
  for (size_t i = 0; i < plan.commands.size(); ++i) {
    if (outcomes[i] != Outcome::kNew && outcomes[i] != Outcome::kThere) continue;
    for (const RowRef& row : plan.commands[i].rows) placed[row] |= outcomes[i] == Outcome::kNew;
  }
  for (const RowRead& row : plan.rows) {
    RowCounts& counts = report.kinds[row.kind];
    ++counts.rows;
    const auto found = placed.find(row.row);
    if (refused.contains(row.row) || found == placed.end()) {
      ++counts.refused;
      continue;
    }
    ++(found->second ? counts.fresh : counts.there);
    if (unclear.contains(row.row)) ++counts.unclear;
  }
  return report;
}

std::string Text(const Report& report, Language language) {
  constexpr size_t kFirstWidth = 16;
  constexpr size_t kNumberWidth = 10;
  std::string text = fmt::format("{}: {} {}{}\n", Label(language, report.dry_run ? "dry_run" : "imported"),
                                 report.files.size(), Label(language, "files"),
                                 report.dry_run && !report.checked ? " " + Label(language, "planned") : "");
  text += "  " + Padded(Label(language, "kind"), kFirstWidth);
  for (const char* name : {"rows", "new", "already_there", "refused", "unclear"})
    text += Padded(Label(language, name), kNumberWidth);
  text += '\n';
  for (const auto& [kind, counts] : report.kinds) {
    text += "  " + Padded(Label(language, kind), kFirstWidth);
    for (const size_t count : {counts.rows, counts.fresh, counts.there, counts.refused, counts.unclear}) {
      text += Padded(fmt::to_string(count), kNumberWidth);
    }
    text += '\n';
  }
  for (const Finding& finding : report.findings) text += Line(finding, language);
  return text;
}

nlohmann::json Json(const Report& report) {
  nlohmann::json kinds = nlohmann::json::object();
  for (const auto& [kind, counts] : report.kinds) {
    kinds[kind] = {{"rows", counts.rows},
                   {"new", counts.fresh},
                   {"already_there", counts.there},
                   {"refused", counts.refused},
                   {"unclear", counts.unclear}};
  }
  nlohmann::json findings = nlohmann::json::array();
  for (const Finding& finding : report.findings) {
    findings.push_back(
        {{"weight", WeightName(finding.weight)},
         {"file", finding.file},
         {"sheet", finding.sheet},
         {"row", finding.row},
         {"column", finding.column > 0 ? ColumnName(finding.column) : ""},
         {"rule", finding.rule},
         {"message",
          {{"zh", Sentence(finding, Language::kChinese)}, {"en", Sentence(finding, Language::kEnglish)}}}});
  }
  return {{"dry_run", report.dry_run}, {"checked", report.checked},
          {"files", report.files},     {"kinds", kinds},
          {"findings", findings},      {"all_placed", report.AllPlaced()}};
}

}  // namespace qinglan::importing
