#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "qinglan/research/v1/research_service.pb.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/qinglan/import/words.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace v1 = research::v1;
using nlohmann::json;

constexpr int kRankMax = 99;

// What a row's category and state together say that the work is.
struct Work {
  std::string is;  // "paper", "course", "micro_lesson", "project", "award"
  v1::AwardKind award = v1::AWARD_KIND_UNSPECIFIED;
  v1::Prize prize = v1::PRIZE_UNSPECIFIED;
};

// 刊号 is a journal's number, 文号 a document's.
enum class NumberKind { kNone, kJournal, kDocument, kOther };

NumberKind KindOfNumber(const std::string& number) {
  if (number.empty()) return NumberKind::kNone;
  if (number.starts_with("CN") || number.starts_with("ISSN")) return NumberKind::kJournal;
  return number.ends_with("号") ? NumberKind::kDocument : NumberKind::kOther;
}

bool Contains(const json& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool IsKnownState(const std::string& state) {
  return Words().at("prizes").contains(state) || Contains(Words().at("other_states"), state);
}

// A paper that was "concluded", a prize for a project: which of the two words is wrong cannot be told, so
// neither is taken.
std::optional<Work> WorkOf(RowReader& row) {
  const std::string category = row.Required("category");
  const std::string state = row.Text("state");
  if (category.empty()) return std::nullopt;
  if (!Words().at("output_categories").contains(category)) {
    row.Reject("category", "CELL_WORD_UNKNOWN", {{"value", category}});
    return std::nullopt;
  }
  const json& rule = Words().at("output_categories").at(category);
  if (rule.contains("published") && Contains(rule.at("published"), state))
    return Work{rule.at("published_is"), {}, {}};
  Work work{"award", v1::AWARD_KIND_UNSPECIFIED, v1::PRIZE_UNSPECIFIED};
  if (rule.contains("award") && Words().at("prizes").contains(state) &&
      v1::AwardKind_Parse(rule.at("award").get<std::string>(), &work.award) &&
      v1::Prize_Parse(Words().at("prizes").at(state).get<std::string>(), &work.prize)) {
    return work;
  }
  if (state.empty()) {
    row.Reject("state", "CELL_STATE_MISSING", {{"category", category}});
  } else if (IsKnownState(state)) {
    row.Reject("state", "CELL_STATE_DOES_NOT_FIT", {{"category", category}, {"state", state}});
  } else {
    row.Reject("state", "CELL_WORD_UNKNOWN", {{"value", state}});
  }
  return std::nullopt;
}

// What an output row says, read and found good.
struct OutputRow {
  Person person;
  Work work;
  std::string title;
  scale::v1::Level level = scale::v1::LEVEL_UNSPECIFIED;
  int rank = 0;
  MonthOrDay when;
  std::string number;

  std::string Day() const { return runtime::IsoDate(when.day.value_or(absl::CivilDay(when.month))); }
};

// A journal's number on a prize, or a document's on a published paper: one of the cells is not what it seems.
void CheckNumber(RowReader& row, const Work& work, const std::string& number) {
  const NumberKind kind = KindOfNumber(number);
  const bool fits = work.is == "paper" ? kind != NumberKind::kDocument : kind != NumberKind::kJournal;
  if (!fits) row.Reject("number", "CELL_NUMBER_DOES_NOT_FIT");
}

std::optional<OutputRow> ReadRow(RowReader& row, Seen& seen, const Planning& planning) {
  if (!seen.First(row, row.Canonical())) return std::nullopt;
  OutputRow read;
  const auto person = planning.directory.Named(row, "staff_number", "name");
  const auto work = WorkOf(row);
  const auto level = row.Level("level");
  const auto rank = row.Whole("rank", 1, kRankMax);
  const auto when = row.Month("month");
  read.title = row.Required("title");
  read.number = row.Text("number");
  if (work) CheckNumber(row, *work, read.number);
  if (when && absl::CivilDay(when->month) > planning.today) row.Reject("month", "CELL_DATE_IN_FUTURE");
  if (when && when->day && *when->day > planning.today) row.Reject("month", "CELL_DATE_IN_FUTURE");
  if (row.refused()) return std::nullopt;
  read.person = *person;
  read.work = *work;
  read.level = *level;
  read.rank = *rank;
  read.when = *when;
  return read;
}

void SetDetail(const OutputRow& read, v1::OutputClaim& claim) {
  if (read.work.is == "paper") {
    v1::Paper* paper = claim.mutable_paper();
    const bool issn = read.number.starts_with("ISSN");
    if (issn) paper->set_issn(Normalise(read.number.substr(4)));
    if (!issn && !read.number.empty()) paper->set_cn_number(read.number);
    if (KindOfNumber(read.number) == NumberKind::kJournal) paper->set_venue_kind(v1::VENUE_KIND_JOURNAL);
  } else if (read.work.is == "course") {
    claim.mutable_course();
  } else if (read.work.is == "micro_lesson") {
    claim.mutable_micro_lesson();
  } else {
    claim.mutable_award()->set_kind(read.work.award);
    claim.mutable_award()->set_prize(read.work.prize);
    claim.mutable_award()->set_document_number(read.number);
    // The sheet names the work, not the competition.
    claim.mutable_award()->set_entry_title(read.title);
  }
}

void PlanOutput(RowReader& row, const OutputRow& read, const Planning& planning) {
  auto request = std::make_shared<v1::SubmitOutputRequest>();
  v1::OutputClaim& claim = *request->mutable_claim();
  claim.set_title(read.title);
  claim.set_level(read.level);
  claim.set_achieved_on(read.Day());
  claim.set_precision(read.when.day ? v1::DATE_PRECISION_DAY : v1::DATE_PRECISION_MONTH);
  claim.set_author_rank(static_cast<uint32_t>(read.rank));
  SetDetail(read, claim);
  if ((read.work.is == "course" || read.work.is == "micro_lesson") && !read.number.empty()) {
    row.UnclearAt(row.ColumnOf("number"), "CELL_NUMBER_NOT_STORED");
  }
  Command command = Planning::For(row, "outputs", kStageWork);
  command.identity =
      Identity({read.person.key, read.work.is, fmt::to_string(static_cast<int>(read.work.award)),
                fmt::to_string(static_cast<int>(read.work.prize)), read.title,
                fmt::to_string(static_cast<int>(read.level)), fmt::to_string(read.rank), claim.achieved_on(),
                fmt::to_string(static_cast<int>(claim.precision())), read.number});
  command.lane = read.title;  // co-authors claim ranks of one work
  command.request = std::move(request);
  command.bindings = {{"teacher_id", read.person.key}, {"org_id", read.person.org_key}};
  planning.plan.Add(std::move(command), planning.plan.findings);
}

using ProjectRow = std::pair<RowReader, OutputRow>;

// The members of one project, by rank. Nothing, the rows refused, when the host is not among them or two
// share a rank.
bool MembersAreClear(std::vector<ProjectRow>& members) {
  std::sort(members.begin(), members.end(),
            [](const ProjectRow& a, const ProjectRow& b) { return a.second.rank < b.second.rank; });
  const bool host = members.front().second.rank == 1;
  bool clear = host;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!host) members[i].first.Reject("rank", "CELL_PROJECT_HOST_UNKNOWN");
    if (i == 0 || members[i].second.rank != members[i - 1].second.rank) continue;
    clear = false;
    members[i].first.Reject("rank", "CELL_RANK_TWICE");
  }
  return clear;
}

// Rows that name one project by title and level become one proposal. It is approved by an office, with its
// number: that is not in the sheet.
void PlanProject(std::vector<ProjectRow>& members, const Planning& planning) {
  if (!MembersAreClear(members)) return;
  const OutputRow& host = members.front().second;
  auto request = std::make_shared<v1::ProposeProjectRequest>();
  request->set_title(host.title);
  request->set_level(host.level);
  request->set_proposed_on(host.Day());
  Command command = Planning::For(members.front().first, "projects", kStageWork);
  command.bindings = {{"org_id", host.person.org_key}, {"host_teacher_id", host.person.key}};
  std::vector<std::string> identity = {host.title, fmt::to_string(static_cast<int>(host.level)), host.Day()};
  for (size_t i = 0; i < members.size(); ++i) {
    const OutputRow& read = members[i].second;
    v1::ProjectMember* member = request->add_members();
    member->set_role(i == 0 ? v1::MEMBER_ROLE_HOST : v1::MEMBER_ROLE_PARTICIPANT);
    member->set_rank(static_cast<uint32_t>(read.rank));
    command.bindings.emplace_back(fmt::format("members.{}.teacher_id", i), read.person.key);
    identity.push_back(fmt::format("{} {}", read.rank, read.person.key));
    if (i > 0) command.rows.push_back(RefOf(members[i].first));
    members[i].first.Note("state", "CELL_PROJECT_AWAITS_APPROVAL");
  }
  command.identity = Identity(identity);
  command.lane = host.title;
  command.request = std::move(request);
  planning.plan.Add(std::move(command), planning.plan.findings);
}

}  // namespace

void PlanOutputs(const Sheet& sheet, const Planning& planning) {
  Seen seen;
  std::map<std::pair<std::string, int>, std::vector<ProjectRow>> projects;
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning.Read(sheet, *data);
    if (row.refused()) continue;
    const auto read = ReadRow(row, seen, planning);
    if (!read) continue;
    if (read->work.is == "project") {
      projects[{read->title, static_cast<int>(read->level)}].emplace_back(row, *read);
    } else {
      PlanOutput(row, *read, planning);
    }
  }
  for (auto& [key, members] : projects) PlanProject(members, planning);
}

}  // namespace qinglan::importing
