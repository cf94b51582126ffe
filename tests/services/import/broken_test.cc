// What is broken is said by file, row, column and rule, and nothing of it is planned.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/runtime/catalogue.h"
#include "tests/services/import/offices.h"
#include "tests/services/import/workbook.h"

namespace qinglan::importing {
namespace {

struct Broken {
  std::string name;
  std::string file;  // that is put beside, or in the place of, the roster's
  std::string bytes;
  int row = 0;
  int column = 0;
  std::string rule;
  Weight weight = Weight::kRefused;
  std::string said_of = "";  // the file that the finding is about, when it is another one

  const std::string& place() const { return said_of.empty() ? file : said_of; }
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string Orgs(const std::string& from, const std::string& to) {
  return Replaced(Roster().at("orgs.csv"), from, to);
}
std::string Users(const std::string& from, const std::string& to) {
  return Replaced(Roster().at("users.csv"), from, to);
}
std::string Roles(const std::string& from, const std::string& to) {
  return Replaced(Roster().at("roles.csv"), from, to);
}
// An observation with one cell changed, below a good one: in row 3.
std::string Observed(const std::string& from, const std::string& to) {
  const std::string other = "T-003,罗艳红,T-004,马明,2025-11-02,音乐,公开课,县级,90,节奏合适,否\n";
  return std::string(kObservationHeader) + kGoodObservation + Replaced(other, from, to);
}
std::string Paired(const std::string& from, const std::string& to) {
  return kPairingHeader + Replaced("T-001,王红平,T-003,,科学,2023-09-15,3,QL-1\n", from, to);
}
std::string Claimed(const std::string& from, const std::string& to) {
  return kOutputHeader +
         Replaced("T-001,王红平,论文,作业设计研究,省级,发表,1,2025-05,CN52-1234/G4\n", from, to);
}
std::string Signed(const std::vector<std::string>& row) {
  return SignIn({{"1", "王红平", "T-001", "一中", "√", "√"}, row});
}
std::string Cell(const std::string& xml) {
  return Workbook({.rows = TextRow(1, {"徒弟工号", "师傅工号", "学科", "结对日期", "期限"}) +
                           "<row r=\"2\">" + xml +
                           R"(<c r="B2" t="inlineStr"><is><t>T-003</t></is></c>)"
                           R"(<c r="C2" t="inlineStr"><is><t>科学</t></is></c>)"
                           R"(<c r="D2" s="1"><v>45184</v></c><c r="E2"><v>3</v></c></row>)",
                   .styles = R"(<xf numFmtId="14"/>)"});
}

std::vector<Broken> FilesAndSheets() {
  const std::string observations = std::string(kObservationHeader) + kGoodObservation;
  const std::string whole = SignIn({{"1", "王红平", "T-001", "一中", "√", "√"}});
  return {
      {"EmptyFile", "a.csv", "", 0, 0, "FILE_EMPTY"},
      {"WrongEncoding", "a.csv", "caf\xE9,r\xE9sum\xE9\n1,2\n", 0, 0, "FILE_ENCODING_UNKNOWN"},
      {"HalfACharacter", "a.csv", observations.substr(0, observations.size() - 3), 0, 0, "FILE_UTF8_BROKEN"},
      {"HalfAWorkbook", "a.xlsx", whole.substr(0, whole.size() / 2), 0, 0, "FILE_NOT_A_WORKBOOK"},
      {"TextCalledWorkbook", "a.xlsx", observations, 0, 0, "FILE_NOT_A_WORKBOOK"},
      {"WorkbookCalledText", "a.csv", whole, 0, 0, "FILE_NOT_TEXT"},
      {"OldExcel", "a.xls", "\xD0\xCF\x11\xE0", 0, 0, "FILE_OLD_EXCEL"},
      {"Picture", "a.png", "\x89PNG", 0, 0, "FILE_KIND_UNKNOWN"},
      {"NoPolicy", "policy.json", R"({"policy_id": "x", "versoin": 1})", 0, 0, "FILE_NOT_A_POLICY"},
      {"NoHeader", "a.csv", kGoodObservation, 0, 0, "SHEET_NOT_RECOGNISED"},
      {"HeaderLacksDate", "a.csv", Replaced(observations, "日期", "天气"), 1, 0, "SHEET_COLUMN_MISSING"},
      {"ColumnTwice", "a.csv", Replaced(observations, "评析", "学科"), 1, 10, "SHEET_COLUMN_TWICE"},
      {"HeaderOnly", "a.csv", kObservationHeader, 1, 0, "SHEET_WITHOUT_ROWS"},
      {"HeaderMerged", "a.xlsx",
       Workbook({.rows = TextRow(1, {"徒弟工号", "师傅工号", "学科", "", "结对日期", "期限"}) +
                         TextRow(2, {"T-001", "T-003", "科学", "x", "2023-09-15", "3"}),
                 .merges = "C1:D1"}),
       1, 4, "SHEET_HEADER_MERGED"},
      {"HeaderTwice", "a.csv", observations + kObservationHeader, 3, 0, "ROW_HEADER_REPEATED"},
      {"SecondRoster", "other.csv", Roster().at("orgs.csv"), 1, 0, "SHEET_ROSTER_TWICE"},
      {"UnusedColumn", "a.csv",
       Replaced(Replaced(observations, "是否反馈\n", "是否反馈,天气\n"), "清楚,是\n", "清楚,是,晴\n"), 1, 12,
       "SHEET_COLUMN_UNUSED", Weight::kNote},
  };
}

std::vector<Broken> Cells() {
  return {
      {"HalfARow", "a.csv", Observed(",公开课,县级,90,节奏合适,否\n", ",公开"), 3, 7, "ROW_CELLS_MISSING"},
      {"CommaInText", "a.csv", Observed("节奏合适", "节奏合适,有互动"), 3, 12, "ROW_TOO_MANY_CELLS"},
      {"QuoteUnclosed", "a.csv", Observed("节奏合适", "\"节奏合适"), 3, 10, "CELL_QUOTE_UNCLOSED"},
      {"QuoteMisplaced", "a.csv", Observed("节奏合适", "节奏\"合适"), 3, 10, "CELL_QUOTE_MISPLACED"},
      {"NulByte", "a.csv", Observed("节奏", std::string("节\0奏", 7)), 3, 10, "CELL_NUL_BYTE"},
      {"ControlCharacter", "a.csv", Observed("节奏", "节\x07奏"), 3, 10, "CELL_CONTROL_CHARACTER"},
      {"OversizeCell", "a.csv", Observed("节奏合适", std::string(kCellBytesMax + 1, 'x')), 3, 10,
       "CELL_TOO_LONG"},
      {"ReviewTooLong", "a.csv", Observed("节奏合适", std::string(20'000, 'x')), 3, 0,
       "ROW_BREAKS_FIELD_RULE"},
      {"ScientificNumber", "a.csv", Observed("T-003", "4.40981E+17"), 3, 1, "CELL_NUMBER_SCIENTIFIC"},
      {"LostDigits", "a.xlsx", Cell(R"(<c r="A2"><v>520102198701011000</v></c>)"), 2, 1,
       "CELL_NUMBER_LOST_DIGITS"},
      {"ScientificInWorkbook", "a.xlsx", Cell(R"(<c r="A2"><v>4.40981198701011E+17</v></c>)"), 2, 1,
       "CELL_NUMBER_SCIENTIFIC"},
      {"FormulaWithoutValue", "a.xlsx", Cell(R"(<c r="A2"><f>Z9</f></c>)"), 2, 1,
       "CELL_FORMULA_WITHOUT_VALUE"},
      {"FormulaError", "a.xlsx", Cell(R"(<c r="A2" t="e"><f>VLOOKUP(1,Z:Z,1)</f><v>#N/A</v></c>)"), 2, 1,
       "CELL_FORMULA_ERROR"},
      {"SerialBelowTheLeapDayThatNeverWas", "a.xlsx",
       Workbook({.rows = TextRow(1, {"徒弟工号", "师傅工号", "学科", "结对日期", "期限"}) +
                         R"(<row r="2"><c r="A2" t="inlineStr"><is><t>T-001</t></is></c>)"
                         R"(<c r="B2" t="inlineStr"><is><t>T-003</t></is></c>)"
                         R"(<c r="C2" t="inlineStr"><is><t>科学</t></is></c>)"
                         R"(<c r="D2" s="1"><v>59</v></c><c r="E2"><v>3</v></c></row>)",
                 .styles = R"(<xf numFmtId="14"/>)"}),
       2, 4, "CELL_DATE_SERIAL"},
      {"NoStaffNumber", "a.csv", Observed("T-003,", ","), 3, 1, "CELL_REQUIRED"},
      {"NumberIsNoId", "a.csv", Observed("T-003", "T-003?"), 3, 1, "CELL_NOT_AN_ID"},
      {"UnknownTeacher", "a.csv", Observed("T-003", "T-099"), 3, 1, "CELL_TEACHER_UNKNOWN"},
      {"NameOfAnother", "a.csv", Observed("罗艳红", "罗艳"), 3, 2, "CELL_NAME_DISAGREES"},
      {"NumberAsName", "a.csv", Observed("罗艳红", "13800138000"), 3, 2, "CELL_NOT_A_NAME"},
      {"NoDate", "a.csv", Observed("2025-11-02", ""), 3, 5, "CELL_REQUIRED"},
      {"WordAsDate", "a.csv", Observed("2025-11-02", "上周五"), 3, 5, "CELL_NOT_A_DATE"},
      {"MonthOnly", "a.csv", Observed("2025-11-02", "2025-11"), 3, 5, "CELL_NOT_A_DATE"},
      {"AmericanDate", "a.csv", Observed("2025-11-02", "11/02/2025"), 3, 5, "CELL_NOT_A_DATE"},
      {"ThirtiethOfFebruary", "a.csv", Observed("2025-11-02", "2025-02-30"), 3, 5, "CELL_DATE_IMPOSSIBLE"},
      {"MonthThirteen", "a.csv", Observed("2025-11-02", "2025年13月2日"), 3, 5, "CELL_DATE_IMPOSSIBLE"},
      {"Tomorrow", "a.csv", Observed("2025-11-02", "2026-01-16"), 3, 5, "CELL_DATE_IN_FUTURE"},
      {"UnknownLevel", "a.csv", Observed("县级", "宇宙级"), 3, 8, "CELL_LEVEL_UNKNOWN"},
      {"UnknownLessonKind", "a.csv", Observed("公开课", "网课"), 3, 7, "CELL_WORD_UNKNOWN"},
      {"Score101", "a.csv", Observed(",90,", ",101,"), 3, 9, "CELL_OUT_OF_RANGE"},
      {"NegativeScore", "a.csv", Observed(",90,", ",-1,"), 3, 9, "CELL_OUT_OF_RANGE"},
      {"ScoreInWords", "a.csv", Observed(",90,", ",优秀,"), 3, 9, "CELL_NOT_A_NUMBER"},
      {"NeitherYesNorNo", "a.csv", Observed(",否\n", ",不详\n"), 3, 11, "CELL_NOT_YES_OR_NO"},
      {"ObservesThemselves", "a.csv", Observed("T-004,马明", "T-003,罗艳红"), 3, 3,
       "CELL_OBSERVES_THEMSELVES"},
      {"SameRowAgain", "a.csv", std::string(kObservationHeader) + kGoodObservation + kGoodObservation, 3, 0,
       "ROW_DUPLICATE"},
      {"SameRowOtherwiseWritten", "a.csv",
       std::string(kObservationHeader) + kGoodObservation +
           "T-００1,王 红平,T-002,黄娟艳,2025/10/11,英语,常态课,校级,85,层次清楚,是\n",
       3, 0, "ROW_DUPLICATE"},
  };
}

std::vector<Broken> PairingsAndOutputs() {
  return {
      {"TermOfHalfAYear", "a.csv", Paired(",3,", ",0.5,"), 2, 7, "CELL_NOT_WHOLE"},
      {"TermOfZero", "a.csv", Paired(",3,", ",0,"), 2, 7, "CELL_OUT_OF_RANGE"},
      {"OwnMentor", "a.csv", Paired("T-003", "T-001"), 2, 3, "CELL_MENTORS_THEMSELVES"},
      {"PairingWithoutSubject", "a.csv", Paired(",科学,", ",,"), 2, 5, "CELL_REQUIRED"},
      {"ConcludedPaper", "a.csv", Claimed("发表", "结题"), 2, 6, "CELL_STATE_DOES_NOT_FIT"},
      {"PaperWithoutState", "a.csv", Claimed("发表", ""), 2, 6, "CELL_STATE_MISSING"},
      {"UnknownState", "a.csv", Claimed("发表", "真好"), 2, 6, "CELL_WORD_UNKNOWN"},
      {"UnknownCategory", "a.csv", Claimed("论文", "小说"), 2, 3, "CELL_WORD_UNKNOWN"},
      {"DocumentNumberOnPaper", "a.csv", Claimed("CN52-1234/G4", "黔教研〔2024〕12号"), 2, 9,
       "CELL_NUMBER_DOES_NOT_FIT"},
      {"JournalNumberOnPrize", "a.csv",
       Claimed("论文,作业设计研究,省级,发表", "优质课获奖,作业设计研究,省级,一等奖"), 2, 9,
       "CELL_NUMBER_DOES_NOT_FIT"},
      {"RankZero", "a.csv", Claimed(",1,2025-05", ",0,2025-05"), 2, 7, "CELL_OUT_OF_RANGE"},
      {"MonthNoMonth", "a.csv", Claimed("2025-05", "春季"), 2, 8, "CELL_NOT_A_MONTH"},
      {"ProjectWithoutHost", "a.csv",
       Claimed("论文,作业设计研究,省级,发表,1,2025-05,CN52-1234/G4",
               "课题,作业设计研究,省级,立项,2,2025-05,"),
       2, 7, "CELL_PROJECT_HOST_UNKNOWN"},
  };
}

std::vector<Broken> SignInSheets() {
  const std::vector<std::vector<std::string>> rows = {{"1", "王红平", "T-001", "一中", "√", "√"}};
  const auto head = [&](const std::string& info) {
    return SignInWith(kSignInTitle, info, kSignInHeader, rows);
  };
  return {
      {"UnknownMark", "a.xlsx", Signed({"2", "马 明", "T-004", "实验小学", "√", "?"}), 5, 6,
       "CELL_MARK_UNKNOWN"},
      {"UnknownSchool", "a.xlsx", Signed({"2", "马 明", "T-004", "三中", "√", "√"}), 5, 4,
       "CELL_ORG_UNKNOWN"},
      {"SignedTwice", "a.xlsx", Signed({"1", "王红平", "T-001", "一中", "√", "√"}), 5, 0, "ROW_DUPLICATE"},
      {"SignedTwiceOtherwise", "a.xlsx", Signed({"2", "王红平", "T-001", "一中", "√", "×"}), 5, 3,
       "CELL_PERSON_TWICE"},
      {"NoName", "a.xlsx", Signed({"2", "", "T-004", "实验小学", "√", "√"}), 5, 2, "CELL_REQUIRED"},
      {"NegativeHours", "a.xlsx", head("时间:2025年9月20日 地点:县 学时:-6 主办:青山县教育局"), 2, 1,
       "CELL_OUT_OF_RANGE"},
      {"HoursUneven", "a.xlsx", head("时间:2025年9月20日 地点:县 学时:6.3 主办:青山县教育局"), 2, 1,
       "CELL_HOURS_UNEVEN"},
      {"HoursInWords", "a.xlsx", head("时间:2025年9月20日 地点:县 学时:六 主办:青山县教育局"), 2, 1,
       "CELL_NOT_A_NUMBER"},
      {"NoHours", "a.xlsx", head("时间:2025年9月20日 地点:县 主办:青山县教育局"), 3, 0, "SHEET_INFO_MISSING"},
      {"UnknownOrganiser", "a.xlsx", head("时间:2025年9月20日 地点:县 学时:6 主办:省教育厅"), 2, 1,
       "CELL_ORG_UNKNOWN"},
      {"SessionDayImpossible", "a.xlsx", head("时间:2025年9月31日 地点:县 学时:6 主办:青山县教育局"), 2, 1,
       "CELL_DATE_IMPOSSIBLE"},
      {"SessionBackwards", "a.xlsx", head("时间:2025年9月20日至19日 地点:县 学时:6 主办:青山县教育局"), 2, 1,
       "CELL_DAYS_DISORDERED"},
      {"SessionInFuture", "a.xlsx", head("时间:2026年9月20日 地点:县 学时:6 主办:青山县教育局"), 2, 1,
       "CELL_DATE_IN_FUTURE"},
      {"BlockOnAnotherDay", "a.xlsx", head("时间:2025年9月21日 地点:县 学时:6 主办:青山县教育局"), 3, 5,
       "CELL_BLOCK_NOT_IN_DAYS"},
      {"BlockTwice", "a.xlsx",
       SignInWith(kSignInTitle, kSignInInfo, {"序号", "姓名", "工号", "单位", "20日上午", "9月20日上午"},
                  rows),
       3, 6, "CELL_BLOCK_TWICE"},
      {"LevelNotInTitle", "a.xlsx", SignInWith("秋季培训签到表", kSignInInfo, kSignInHeader, rows), 1, 1,
       "CELL_LEVEL_UNKNOWN"},
      {"NoTitle", "a.xlsx", SignInWith("", kSignInInfo, kSignInHeader, rows), 3, 0, "SHEET_TITLE_MISSING"},
  };
}

std::vector<Broken> Rosters() {
  const std::string manifest = "propertyName,value\noneroster.version,1.2\nfile.orgs,bulk\n";
  return {
      {"OrgTwice", "orgs.csv", Orgs("s2,active", "s1,active"), 4, 0, "ROW_DUPLICATE"},
      {"OrgOfUnknownKind", "orgs.csv", Orgs("实验小学,school", "实验小学,local"), 4, 5,
       "CELL_ORG_KIND_UNKNOWN"},
      {"OrgWithoutParent", "orgs.csv", Orgs("2,d1", "2,"), 4, 7, "CELL_REQUIRED"},
      {"OrgBelowNothing", "orgs.csv", Orgs("2,d1", "2,d9"), 4, 7, "CELL_ORG_UNKNOWN"},
      {"OrgsInACircle", "orgs.csv", Orgs("2,d1", "2,s2"), 4, 7, "CELL_ORG_UNKNOWN"},
      {"ToBeDeleted", "users.csv", Users("t4,active", "t4,tobedeleted"), 5, 2, "CELL_NOT_ACTIVE"},
      {"NotEnabled", "users.csv", Users("t4,active,true", "t4,active,false"), 5, 3, "CELL_NOT_ENABLED"},
      {"StaffNumberShared", "users.csv", Users("T-004", "T-003"), 5, 6, "CELL_STAFF_NUMBER_SHARED"},
      {"PhoneScientific", "users.csv", Users("13800000004", "1.38E+10"), 5, 7, "CELL_NUMBER_SCIENTIFIC"},
      {"PhoneOfLetters", "users.csv", Users("13800000004", "无"), 5, 7, "CELL_NOT_A_PHONE"},
      {"StartMonthThirteen", "users.csv", Users("s2,201009,音乐", "s2,201013,音乐"), 5, 9,
       "CELL_DATE_IMPOSSIBLE"},
      {"NoStart", "users.csv", Users("s2,201009,音乐", "s2,,音乐"), 5, 9, "CELL_REQUIRED"},
      {"OtherPrimaryOrg", "users.csv", Users("13800000004,s2", "13800000004,s1"), 5, 8,
       "CELL_POSTS_CONTRADICT"},
      {"NoPrimaryPost", "roles.csv", Roles("t4,primary", "t4,secondary"), 5, 0, "ROW_PRIMARY_POST_MISSING",
       Weight::kRefused, "users.csv"},
      {"TwoPrimaryPosts", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t4,primary,teacher,2012-09-01,,s1\n", 5, 0,
       "ROW_POSTS_CONTRADICT", Weight::kRefused, "users.csv"},
      {"RoleOfNobody", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t9,secondary,teacher,2012-09-01,,s1\n", 6, 3,
       "CELL_USER_UNKNOWN"},
      {"RoleNowhere", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t4,secondary,teacher,2012-09-01,,s9\n", 6, 8,
       "CELL_ORG_UNKNOWN"},
      {"UnknownRole", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t4,secondary,parent,2012-09-01,,s1\n", 6, 5,
       "CELL_WORD_UNKNOWN"},
      {"PostEndsBeforeItBegins", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t4,secondary,teacher,2012-09-01,2012-08-31,s1\n", 6, 7,
       "CELL_END_BEFORE_BEGIN"},
      {"SamePostTwice", "roles.csv",
       Roster().at("roles.csv") + "r5,active,t4,secondary,principal,2012-09-01,,s1\nr6,active,t4,secondary,"
                                  "principal,2012-09-01,,s1\n",
       7, 0, "ROW_DUPLICATE"},
      {"WrongVersion", "manifest.csv", Replaced(manifest, "1.2", "1.1"), 2, 2, "CELL_ROSTER_VERSION"},
      {"Delta", "manifest.csv", Replaced(manifest, "bulk", "delta"), 3, 2, "CELL_ROSTER_DELTA"},
  };
}

class BrokenInput : public testing::TestWithParam<Broken> {};

bool Stands(const Finding& finding, const Broken& broken) {
  return finding.file == broken.place() && finding.row == broken.row && finding.column == broken.column &&
         finding.rule == broken.rule && finding.weight == broken.weight;
}

std::string Said(const Findings& findings) {
  std::string said;
  for (const Finding& f : findings)
    said += fmt::format("{} row {} column {}: {}\n", f.file, f.row, f.column, f.rule);
  return said;
}

TEST_P(BrokenInput, IsSaidAtItsPlaceAndNotPlanned) {
  const Broken& broken = GetParam();
  OfficeFiles files = Roster();
  files[broken.file] = broken.bytes;
  const Plan plan = PlanOf(files);
  EXPECT_TRUE(std::any_of(plan.findings.begin(), plan.findings.end(), [&](const Finding& f) {
    return Stands(f, broken);
  })) << Said(plan.findings);
  const auto reasons = runtime::Reasons();
  EXPECT_THAT(reasons, testing::Contains(broken.rule));
  if (broken.weight != Weight::kRefused) return;
  for (const Command& command : plan.commands) {
    for (const RowRef& row : command.rows) {
      // A finding about a file, its header or what stands above it is about all of its rows.
      const bool all = broken.row == 0 || broken.rule.starts_with("SHEET_") ||
                       (broken.file == "a.xlsx" && broken.row <= 3);
      EXPECT_FALSE(row.file == broken.place() && (all || row.row == broken.row))
          << command.kind << " of row " << row.row;
    }
  }
}

std::string NameOfCase(const testing::TestParamInfo<Broken>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Files, BrokenInput, testing::ValuesIn(FilesAndSheets()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Cells, BrokenInput, testing::ValuesIn(Cells()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Claims, BrokenInput, testing::ValuesIn(PairingsAndOutputs()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(SignIn, BrokenInput, testing::ValuesIn(SignInSheets()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Roster, BrokenInput, testing::ValuesIn(Rosters()), NameOfCase);

TEST(Broken, OneBadRowLeavesTheOthersAlone) {
  OfficeFiles files = Roster();
  files["a.csv"] = Observed("T-003", "T-099");
  const Plan plan = PlanOf(files);
  const auto of_sheet = std::count_if(plan.commands.begin(), plan.commands.end(),
                                      [](const Command& c) { return c.kind == "observations"; });
  EXPECT_EQ(of_sheet, 1);
  EXPECT_EQ(plan.findings.size(), 2u) << Said(plan.findings);  // and the note about the day of the feedback
}

TEST(Broken, AnUnbrokenImportSaysNothing) {
  OfficeFiles files = Roster();
  files["a.csv"] = std::string(kPairingHeader) + "T-001,王红平,T-003,,科学,2023-09-15,3,QL-1\n";
  const Plan plan = PlanOf(files);
  EXPECT_EQ(plan.findings.size(), 0u) << Said(plan.findings);
  EXPECT_EQ(plan.commands.size(), 3u + 4u + 1u);
}

}  // namespace
}  // namespace qinglan::importing
