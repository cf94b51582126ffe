// The sample county plans as deploy/sample-county/README.md says: everything clear is placed, the rest is
// reported row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "services/qinglan/import/applying/report.h"
#include "tests/services/import/offices.h"

namespace qinglan::importing {
namespace {

using ::testing::UnorderedElementsAreArray;

Plan SampleCounty(Input& input, bool unrecorded_is_absent = false) {
  Findings findings;
  input = ReadPaths({std::filesystem::path(QINGLAN_SOURCE_DIR) / "deploy" / "sample-county"}, findings);
  auto plan =
      MakePlan(input, std::move(findings), Lookups(), {absl::CivilDay(2026, 1, 15), unrecorded_is_absent});
  EXPECT_TRUE(plan.ok());
  return *std::move(plan);
}

std::map<std::string, size_t> CommandsByKind(const Plan& plan) {
  std::map<std::string, size_t> counts;
  for (const Command& command : plan.commands) ++counts[command.kind];
  return counts;
}

std::vector<std::string> Said(const Plan& plan, const std::string& file, Weight weight) {
  std::vector<std::string> said;
  for (const Finding& finding : plan.findings) {
    if (finding.file != file || finding.weight != weight) continue;
    said.push_back(ColumnName(finding.column) + std::to_string(finding.row) + " " + finding.rule);
  }
  return said;
}

TEST(SampleCounty, PlansWhatIsClear) {
  Input input;
  const Plan plan = SampleCounty(input);
  EXPECT_EQ(input.files.size(), 8u);
  const std::map<std::string, size_t> expected = {
      {"organisations", 5},  {"teachers", 60}, {"posts", 4},       {"post_ends", 1},
      {"programmes", 1},     {"sessions", 1},  {"enrolments", 32}, {"attendance", 123},
      {"observations", 120}, {"pairings", 12}, {"outputs", 18},
  };
  EXPECT_EQ(CommandsByKind(plan), expected);
}

TEST(SampleCounty, ReportsTheHalfDaysWithoutAMark) {
  Input input;
  const Plan plan = SampleCounty(input);
  EXPECT_THAT(Said(plan, "2025秋_县级培训签到表.xlsx", Weight::kUnclear),
              UnorderedElementsAreArray({"E8 CELL_MARK_MISSING", "F21 CELL_MARK_MISSING",
                                         "F22 CELL_MARK_MISSING", "E26 CELL_MARK_MISSING",
                                         "G26 CELL_MARK_MISSING", "3 SHEET_SESSION_LEFT_OPEN"}));
  EXPECT_THAT(Said(plan, "2025秋_县级培训签到表.xlsx", Weight::kRefused), testing::IsEmpty());
}

TEST(SampleCounty, CompletesTheSessionWhenAbsencesAreSaidAloud) {
  Input input;
  EXPECT_EQ(CommandsByKind(SampleCounty(input, true)).at("completions"), 1u);
}

TEST(SampleCounty, ReportsTheOutputsThatCannotBeTold) {
  Input input;
  const Plan plan = SampleCounty(input);
  // Papers, courses and micro-lessons that were 立项 or 结题, projects that won a prize (F); prizes and
  // courses with a journal's number (I); a project of which only a member is listed (G); a row that is there
  // twice.
  EXPECT_THAT(Said(plan, "科研成果登记表.csv", Weight::kRefused),
              UnorderedElementsAreArray({"F2 CELL_STATE_DOES_NOT_FIT",   "F4 CELL_STATE_DOES_NOT_FIT",
                                         "I6 CELL_NUMBER_DOES_NOT_FIT",  "F8 CELL_STATE_DOES_NOT_FIT",
                                         "F10 CELL_STATE_DOES_NOT_FIT",  "I11 CELL_NUMBER_DOES_NOT_FIT",
                                         "F12 CELL_STATE_DOES_NOT_FIT",  "F13 CELL_STATE_DOES_NOT_FIT",
                                         "F14 CELL_STATE_DOES_NOT_FIT",  "I17 CELL_NUMBER_DOES_NOT_FIT",
                                         "I19 CELL_NUMBER_DOES_NOT_FIT", "F20 CELL_STATE_MISSING",
                                         "F22 CELL_STATE_DOES_NOT_FIT",  "F23 CELL_STATE_DOES_NOT_FIT",
                                         "F25 CELL_STATE_DOES_NOT_FIT",  "F29 CELL_STATE_MISSING",
                                         "F30 CELL_STATE_DOES_NOT_FIT",  "F32 CELL_STATE_DOES_NOT_FIT",
                                         "F33 CELL_STATE_DOES_NOT_FIT",  "I34 CELL_NUMBER_DOES_NOT_FIT",
                                         "F35 CELL_STATE_MISSING",       "F37 CELL_STATE_DOES_NOT_FIT",
                                         "F39 CELL_STATE_MISSING",       "G42 CELL_PROJECT_HOST_UNKNOWN",
                                         "F43 CELL_STATE_DOES_NOT_FIT",  "F45 CELL_STATE_DOES_NOT_FIT",
                                         "I46 CELL_NUMBER_DOES_NOT_FIT", "47 ROW_DUPLICATE"}));
}

TEST(SampleCounty, SaysNothingOfTheOtherFiles) {
  Input input;
  const Plan plan = SampleCounty(input);
  for (const char* file :
       {"manifest.csv", "orgs.csv", "users.csv", "roles.csv", "师徒结对登记表.csv", "听课记录汇总.csv"}) {
    EXPECT_THAT(Said(plan, file, Weight::kRefused), testing::IsEmpty()) << file;
    EXPECT_THAT(Said(plan, file, Weight::kUnclear), testing::IsEmpty()) << file;
  }
  EXPECT_THAT(Said(plan, "听课记录汇总.csv", Weight::kNote),
              testing::ElementsAre("K1 SHEET_FEEDBACK_DAY_TAKEN"));
}

TEST(SampleCounty, IsTheSamePlanEachTime) {
  Input first_input;
  Input second_input;
  const Plan first = SampleCounty(first_input);
  const Plan second = SampleCounty(second_input);
  ASSERT_EQ(first.commands.size(), second.commands.size());
  std::set<std::string> ids;
  for (size_t i = 0; i < first.commands.size(); ++i) {
    EXPECT_EQ(first.commands[i].request_id(), second.commands[i].request_id());
    ids.insert(first.commands[i].request_id());
  }
  EXPECT_EQ(ids.size(), first.commands.size());
}

TEST(SampleCounty, CountsEachRowOnce) {
  Input input;
  const Plan plan = SampleCounty(input);
  const Report report = MakeReport(plan, input.files, Foreseen(plan, {}), {});
  const auto counts = [&](const std::string& kind) {
    const RowCounts& c = report.kinds.at(kind);
    return std::vector<size_t>{c.rows, c.fresh, c.there, c.refused, c.unclear};
  };
  EXPECT_EQ(counts("roster_orgs"), (std::vector<size_t>{5, 5, 0, 0, 0}));
  EXPECT_EQ(counts("roster_users"), (std::vector<size_t>{60, 60, 0, 0, 0}));
  EXPECT_EQ(counts("roster_roles"), (std::vector<size_t>{64, 64, 0, 0, 0}));
  EXPECT_EQ(counts("attendance"), (std::vector<size_t>{32, 32, 0, 0, 4}));
  EXPECT_EQ(counts("observations"), (std::vector<size_t>{120, 120, 0, 0, 0}));
  EXPECT_EQ(counts("pairings"), (std::vector<size_t>{12, 12, 0, 0, 0}));
  EXPECT_FALSE(report.AllPlaced());
  const Report again =
      MakeReport(plan, input.files, std::vector<Outcome>(plan.commands.size(), Outcome::kThere), {});
  EXPECT_EQ(again.kinds.at("roster_users").there, 60u);
  EXPECT_EQ(Json(again).at("kinds").at("observations").at("already_there"), 120);
  EXPECT_NE(Text(report, runtime::Language::kChinese).find("第 8 行 E 列"), std::string::npos);
}

}  // namespace
}  // namespace qinglan::importing
