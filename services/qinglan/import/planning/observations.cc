#include <fmt/format.h>

#include <utility>

#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/qinglan/import/words.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace v1 = lessonstudy::v1;

constexpr double kScoreMax = 100;

std::optional<v1::ObservationKind> KindOf(RowReader& row) {
  const std::string word = row.Required("kind");
  const auto& kinds = Words().at("observation_kinds");
  v1::ObservationKind kind = v1::OBSERVATION_KIND_UNSPECIFIED;
  if (word.empty()) return std::nullopt;
  if (kinds.contains(word) && v1::ObservationKind_Parse(kinds.at(word).get<std::string>(), &kind))
    return kind;
  row.Reject("kind", "CELL_WORD_UNKNOWN", {{"value", word}});
  return std::nullopt;
}

void PlanRow(RowReader& row, Seen& seen, const Planning& planning) {
  if (!seen.First(row, row.Canonical())) return;
  auto request = std::make_shared<v1::RecordObservationRequest>();
  const auto observer = planning.directory.Named(row, "observer_number", "observer_name");
  const auto observed = planning.directory.Named(row, "observed_number", "observed_name");
  const auto day = row.Day("date");
  const auto kind = KindOf(row);
  const bool has_level = row.At(row.ColumnOf("level")).kind != CellKind::kEmpty;
  const auto level = has_level ? row.Level("level") : std::nullopt;
  const auto score = row.OptionalNumber("score", 0, kScoreMax);
  const auto feedback = row.OptionalYesNo("feedback");
  request->set_subject(row.Required("subject"));
  request->set_review(row.Text("review"));
  request->set_topic(row.Text("topic"));
  request->set_class_name(row.Text("class_name"));
  if (observer && observed && observer->key == observed->key)
    row.Reject("observed_number", "CELL_OBSERVES_THEMSELVES");
  if (day && *day > planning.today) row.Reject("date", "CELL_DATE_IN_FUTURE");
  if (row.refused()) return;

  request->set_date(runtime::IsoDate(*day));
  request->set_kind(*kind);
  if (level) request->set_level(*level);
  if (score) request->set_overall_score(*score);
  if (feedback.value_or(false)) request->set_feedback_on(request->date());
  Command command = Planning::For(row, "observations", kStageWork);
  command.identity =
      Identity({observer->key, observed->key, request->date(), request->subject(), request->topic(),
                request->class_name(), fmt::to_string(static_cast<int>(*kind)),
                fmt::to_string(static_cast<int>(request->level())), score ? fmt::format("{:g}", *score) : "",
                request->review(), request->feedback_on()});
  command.lane = observed->key;
  command.request = std::move(request);
  command.bindings = {
      {"observer_id", observer->key}, {"observed_id", observed->key}, {"org_id", observed->org_key}};
  planning.plan.Add(std::move(command), planning.plan.findings);
}

// 是否反馈 says that feedback was given, not when. 当场反馈, on the spot, is what the offices ask for, so the
// lesson's day is taken, and said once a sheet.
void NoteFeedbackDay(const Sheet& sheet, Findings& findings) {
  if (sheet.ColumnOf("feedback") == 0) return;
  findings.push_back(Finding{Weight::kNote,
                             sheet.table.file,
                             sheet.table.sheet,
                             sheet.Header().number,
                             sheet.ColumnOf("feedback"),
                             "SHEET_FEEDBACK_DAY_TAKEN",
                             {}});
}

}  // namespace

void PlanObservations(const Sheet& sheet, const Planning& planning) {
  NoteFeedbackDay(sheet, planning.plan.findings);
  Seen seen;
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning.Read(sheet, *data);
    if (!row.refused()) PlanRow(row, seen, planning);
  }
}

}  // namespace qinglan::importing
