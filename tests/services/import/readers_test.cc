// The readers: bytes to cells, each at its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/qinglan/import/reading/cells.h"
#include "services/qinglan/import/reading/csv.h"
#include "services/qinglan/import/reading/encoding.h"
#include "services/qinglan/import/reading/xlsx.h"
#include "tests/services/import/workbook.h"

namespace qinglan::importing {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Texts(const Row& row) {
  std::vector<std::string> texts;
  for (const Cell& cell : row.cells) texts.push_back(cell.text);
  return texts;
}

Table Csv(std::string_view text) {
  auto table = ReadCsv(text, "a.csv");
  EXPECT_TRUE(table.ok());
  return *std::move(table);
}

TEST(Csv, KeepsQuotedCommasQuotesAndLineFeeds) {
  const Table table = Csv("a,\"b,\"\"c\"\"\",\"d\ne\"\r\nf,,\r\n");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(Texts(table.rows[0]), ElementsAre("a", "b,\"c\"", "d\ne"));
  EXPECT_THAT(Texts(table.rows[1]), ElementsAre("f", "", ""));
}

TEST(Csv, CountsBlankRowsAndNotTheLinesInsideQuotes) {
  const Table table = Csv("\"a\nb\"\n\n\nc\n");
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_TRUE(table.rows[1].Blank());
  EXPECT_EQ(table.rows[3].number, 4);
  EXPECT_EQ(table.rows[3].cells[0].text, "c");
}

TEST(Csv, TakesTabsAndSemicolonsAndEveryLineEnd) {
  EXPECT_THAT(Texts(Csv("a\tb,c\td\r\n").rows[0]), ElementsAre("a", "b,c", "d"));
  EXPECT_THAT(Texts(Csv("a;b;c\n").rows[0]), ElementsAre("a", "b", "c"));
  EXPECT_EQ(Csv("a\rb\rc").rows.size(), 3u);
}

TEST(Csv, SaysWhichCellIsBroken) {
  const Table table = Csv("a,b\nc,\"d\" x,e\nf,g\"h\ni,\"j\nk,l\n");
  EXPECT_EQ(table.rows[1].cells[1].problem, "CELL_QUOTE_MISPLACED");
  EXPECT_EQ(table.rows[2].cells[1].problem, "CELL_QUOTE_MISPLACED");
  EXPECT_EQ(table.rows[3].cells[1].problem, "CELL_QUOTE_UNCLOSED");
  EXPECT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(Csv(std::string("a,b\0c,d", 7)).rows[0].cells[1].problem, "CELL_NUL_BYTE");
  EXPECT_EQ(Csv("a,b\x07").rows[0].cells[1].problem, "CELL_CONTROL_CHARACTER");
  EXPECT_EQ(Csv("a," + std::string(kCellBytesMax + 1, 'x')).rows[0].cells[1].problem, "CELL_TOO_LONG");
}

TEST(Csv, RefusesMoreThanItsLimits) {
  EXPECT_EQ(RuleOf(ReadCsv(std::string(kRowsMax + 1, '\n'), "a.csv").status()), "FILE_TOO_MANY_ROWS");
  EXPECT_EQ(RuleOf(ReadCsv(std::string(kColumnsMax, ','), "a.csv").status()), "FILE_TOO_MANY_COLUMNS");
}

TEST(Encoding, ReadsWhatOfficesSave) {
  const std::string text = "\"工号\",\"姓名\",\"题目\"\n\"T-006\",\"刘红兰\",\"农村学校作业分层设计研究\"\n";
  EXPECT_EQ(DecodeText(text)->encoding, "UTF-8");
  EXPECT_EQ(DecodeText("\xEF\xBB\xBF" + text)->text, text);
  const auto gb = DecodeText(Encoded(text, "GB18030"));
  ASSERT_TRUE(gb.ok());
  EXPECT_EQ(gb->encoding, "GB18030");
  EXPECT_EQ(gb->text, text);
  EXPECT_EQ(DecodeText("\xFF\xFE" + Encoded(text, "UTF-16LE"))->text, text);
  EXPECT_EQ(DecodeText("\xFE\xFF" + Encoded(text, "UTF-16BE"))->text, text);
}

TEST(Encoding, RefusesWhatItCannotTell) {
  const std::string text = "工号,姓名,题目\nT-006,刘红兰,农村学校作业分层设计研究\n";
  const std::string big5 = Encoded(
      "工號,姓名,題目\n教師發展中心舉辦之農村學校作業分層設計研究與實踐,課堂教學質量監測報告\n", "Big5");
  EXPECT_EQ(RuleOf(DecodeText("").status()), "FILE_EMPTY");
  EXPECT_EQ(RuleOf(DecodeText(text.substr(0, text.size() - 2)).status()), "FILE_UTF8_BROKEN");
  EXPECT_EQ(RuleOf(DecodeText(Encoded(text, "UTF-16LE")).status()), "FILE_ENCODING_UNKNOWN");
  EXPECT_EQ(RuleOf(DecodeText(std::string("\xFF\xFE\x00\xD8", 4)).status()), "FILE_UTF16_BROKEN");
  EXPECT_EQ(RuleOf(DecodeText("caf\xE9,na\xEFve,r\xE9sum\xE9\n").status()), "FILE_ENCODING_UNKNOWN");
  EXPECT_EQ(RuleOf(DecodeText(big5).status()), "FILE_ENCODING_UNKNOWN");
  EXPECT_EQ(RuleOf(DecodeText("PK\x03\x04rest").status()), "FILE_NOT_TEXT");
  EXPECT_EQ(RuleOf(DecodeText("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").status()), "FILE_OLD_EXCEL");
}

TEST(Encoding, TellsTheLineThatIsBroken) {
  const auto decoded = DecodeText("姓名,单位\n王红平,\xFF\n马明,第一中学\n");
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RuleOf(decoded.status()), "FILE_UTF8_BROKEN");
}

Table Sheet1(const WorkbookParts& parts) {
  auto tables = ReadXlsx(Workbook(parts), "a.xlsx");
  EXPECT_TRUE(tables.ok()) << tables.status();
  if (!tables.ok() || tables->size() != 1) return {};
  return tables->front();
}

TEST(Xlsx, ReadsEveryKindOfCell) {
  const Table table = Sheet1({
      .rows = R"(<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="inlineStr"><is><t>行内</t></is></c>)"
              R"(<c r="C2"><v>0.30000000000000004</v></c>)"
              R"(<c r="D2" s="1"><v>45941</v></c><c r="E2" s="2"><v>45941.5</v></c>)"
              R"(<c r="F2" t="b"><v>1</v></c><c r="G2" t="str"><f>A1</f><v>算</v></c>)"
              R"(<c r="H2" t="d"><v>2025-10-11T00:00:00</v></c><c r="I2" t="inlineStr"></c></row>)",
      .shared_strings =
          "<si><t>一</t></si><si><r><t>富</t></r><r><t>文本</t></r><rPh><t>zhuyin</t></rPh></si>",
      .number_formats =
          R"(<numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>)",
      .styles = R"(<xf numFmtId="14"/><xf numFmtId="176"/>)",
  });
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].number, 2);
  EXPECT_THAT(Texts(table.rows[0]),
              ElementsAre("富文本", "行内", "0.3", "2025-10-11", "2025-10-11", "TRUE", "算", "2025-10-11"));
  EXPECT_EQ(table.rows[0].cells[3].kind, CellKind::kDate);
  EXPECT_EQ(table.rows[0].cells[2].kind, CellKind::kNumber);
}

TEST(Xlsx, ShowsAMergedRegionsValueInEachOfItsCells) {
  const Table table =
      Sheet1({.rows = TextRow(1, {"标题"}) + TextRow(2, {"甲", "一中", "√"}) + TextRow(3, {"乙", "", "√"}),
              .merges = "A1:C1,B2:B3"});
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(Texts(table.rows[0]), ElementsAre("标题", "标题", "标题"));
  EXPECT_TRUE(table.rows[0].cells[2].merged);
  EXPECT_EQ(table.rows[2].At(2).text, "一中");
}

TEST(Xlsx, CountsDaysFrom1904WhereTheWorkbookSaysSo) {
  const Table table = Sheet1({.rows = R"(<row r="1"><c r="A1" s="1"><v>44479</v></c></row>)",
                              .styles = R"(<xf numFmtId="14"/>)",
                              .workbook_properties = R"(<workbookPr date1904="1"/>)"});
  EXPECT_EQ(table.rows.at(0).cells.at(0).text, "2025-10-11");
}

TEST(Xlsx, SaysWhichCellIsBroken) {
  const Table table = Sheet1(
      {.rows =
           R"(<row r="1"><c r="A1"><f>B9</f></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1" s="1"><v>59</v></c>)"
           R"(<c r="D1" t="s"><v>7</v></c><c r="E1"><v>4.40981E+17</v></c></row>)",
       .styles = R"(<xf numFmtId="14"/>)"});
  const Row& row = table.rows.at(0);
  EXPECT_EQ(row.At(1).problem, "CELL_FORMULA_WITHOUT_VALUE");
  EXPECT_EQ(row.At(2).problem, "CELL_FORMULA_ERROR");
  EXPECT_EQ(row.At(3).problem, "CELL_DATE_SERIAL");
  EXPECT_EQ(row.At(4).problem, "CELL_SHARED_TEXT_MISSING");
  EXPECT_EQ(row.At(5).text, "4.40981E+17");
}

TEST(Xlsx, RefusesWhatIsNoWholeWorkbook) {
  const std::string whole = Workbook({.rows = TextRow(1, {"a"})});
  for (const size_t length : {size_t{3}, whole.size() / 3, whole.size() / 2, whole.size() - 30}) {
    EXPECT_EQ(RuleOf(ReadXlsx(whole.substr(0, length), "a.xlsx").status()), "FILE_NOT_A_WORKBOOK") << length;
  }
  EXPECT_EQ(RuleOf(ReadXlsx("", "a.xlsx").status()), "FILE_EMPTY");
  EXPECT_EQ(RuleOf(ReadXlsx("姓名,工号\n", "a.xlsx").status()), "FILE_NOT_A_WORKBOOK");
  EXPECT_EQ(RuleOf(ReadXlsx(Zip({{"readme.txt", "no workbook"}}), "a.xlsx").status()), "FILE_NOT_A_WORKBOOK");
  auto parts = PartsOf({.rows = TextRow(1, {"a"})});
  parts["xl/worksheets/sheet1.xml"].resize(60);
  EXPECT_EQ(RuleOf(ReadXlsx(Zip(parts), "a.xlsx").status()), "FILE_WORKBOOK_DAMAGED");
  parts.erase("xl/worksheets/sheet1.xml");
  EXPECT_EQ(RuleOf(ReadXlsx(Zip(parts), "a.xlsx").status()), "FILE_WORKBOOK_DAMAGED");
}

TEST(Xlsx, StopsAtABombsLimits) {
  auto parts = PartsOf({.rows = TextRow(1, {"a"})});
  parts["xl/worksheets/sheet1.xml"] = std::string(kPartBytesMax + 1, ' ');
  const std::string bomb = Zip(parts);
  EXPECT_LT(bomb.size(), 1u << 20);
  EXPECT_EQ(RuleOf(ReadXlsx(bomb, "a.xlsx").status()), "FILE_WORKBOOK_TOO_LARGE");
  EXPECT_EQ(
      RuleOf(ReadXlsx(Workbook({.rows = R"(<row r="9999999"><c r="A9999999"><v>1</v></c></row>)"}), "a.xlsx")
                 .status()),
      "FILE_TOO_MANY_ROWS");
  EXPECT_EQ(
      RuleOf(ReadXlsx(Workbook({.rows = R"(<row r="1"><c r="XFD1"><v>1</v></c></row>)"}), "a.xlsx").status()),
      "FILE_TOO_MANY_COLUMNS");
  // A region over the whole sheet fills what is used of it, and no more.
  const Table table = Sheet1({.rows = TextRow(1, {"a", "b"}) + TextRow(2, {"c"}), .merges = "A1:XFD1048576"});
  EXPECT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[1].cells.size(), 2u);
}

TEST(Cells, IdsAreWrittenInManyWays) {
  for (const char* written :
       {"T-005", "T-005", "T-００５", " t-005 ", "T - 005", "T—005", "\u200bT-005", "T-005\u3000"}) {
    EXPECT_EQ(*ParseId(written), "T-005") << written;
  }
  EXPECT_EQ(RuleOf(ParseId("4.40981E+17").status()), "CELL_NUMBER_SCIENTIFIC");
  EXPECT_EQ(RuleOf(ParseId("4.40981e17").status()), "CELL_NUMBER_SCIENTIFIC");
  EXPECT_EQ(RuleOf(ParseId("5.2E+17").status()), "CELL_NUMBER_SCIENTIFIC");
  EXPECT_EQ(RuleOf(ParseId("520102198701011000", true).status()), "CELL_NUMBER_LOST_DIGITS");
  EXPECT_EQ(*ParseId("520102198701011234"), "520102198701011234");
  EXPECT_EQ(*ParseId("12E5"), "12E5");
  EXPECT_EQ(RuleOf(ParseId("T-005,").status()), "CELL_NOT_AN_ID");
  EXPECT_EQ(RuleOf(ParseId(" ").status()), "CELL_NOT_AN_ID");
}

TEST(Cells, NamesLoseTheSpacesThatAlignThem) {
  EXPECT_EQ(*ParseName("马 明"), "马明");
  EXPECT_EQ(*ParseName("马  明 "), "马明");
  EXPECT_EQ(*ParseName("阿依古丽•买买提"), "阿依古丽·买买提");
  EXPECT_EQ(*ParseName("Mary  Ann"), "Mary Ann");
  EXPECT_EQ(RuleOf(ParseName("T-005").status()), "CELL_NOT_A_NAME");
}

TEST(Cells, DatesAreReadInTheirShapesAndOnlyThose) {
  const absl::CivilDay day(2025, 9, 2);
  for (const char* text : {"2025/09/02", "2025-9-2", "2025.9.2", "2025年9月2日", "2025年9月2号", "20250902",
                           "２０２５-09-02", " 2025 / 9 / 2 ", "2025-09-02 00:00:00"}) {
    const auto parsed = ParseDay(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, day) << text;
  }
  for (const char* text : {"9/2/2025", "25.9.2", "2025-05", "昨天", "2025/9/2/1", "2025-09-02 10:30",
                           "2025-9--2", "45941", ""}) {
    EXPECT_EQ(RuleOf(ParseDay(text).status()), "CELL_NOT_A_DATE") << text;
  }
  for (const char* text :
       {"2025-02-30", "2025-13-01", "2025年2月29日", "2025-00-10", "2025.4.31", "1025-01-01"}) {
    EXPECT_EQ(RuleOf(ParseDay(text).status()), "CELL_DATE_IMPOSSIBLE") << text;
  }
  EXPECT_EQ(ParseMonth("2025年5月")->month, absl::CivilMonth(2025, 5));
  EXPECT_EQ(ParseMonth("202505")->month, absl::CivilMonth(2025, 5));
  EXPECT_FALSE(ParseMonth("2025-05")->day.has_value());
  EXPECT_EQ(*ParseMonth("2025-05-03")->day, absl::CivilDay(2025, 5, 3));
  EXPECT_EQ(RuleOf(ParseMonth("2025-13").status()), "CELL_DATE_IMPOSSIBLE");
  EXPECT_EQ(RuleOf(ParseMonth("五月").status()), "CELL_NOT_A_MONTH");
}

TEST(Cells, MarksMeanOneThingOrNothing) {
  for (const char* text : {"√", "✓", "出席", "到", " √ "})
    EXPECT_EQ(*ParseMark(text), Mark::kPresent) << text;
  for (const char* text : {"×", "缺席", "旷", "X"}) EXPECT_EQ(*ParseMark(text), Mark::kAbsent) << text;
  EXPECT_EQ(*ParseMark("迟到"), Mark::kLate);
  EXPECT_EQ(*ParseMark("早退"), Mark::kLeftEarly);
  EXPECT_EQ(*ParseMark("病假"), Mark::kExcused);
  EXPECT_EQ(RuleOf(ParseMark("").status()), "CELL_MARK_MISSING");
  EXPECT_EQ(RuleOf(ParseMark("?").status()), "CELL_MARK_UNKNOWN");
}

TEST(Cells, NumbersAndWords) {
  EXPECT_EQ(*ParseNumber("85.5"), 85.5);
  EXPECT_EQ(RuleOf(ParseNumber("八十五").status()), "CELL_NOT_A_NUMBER");
  EXPECT_EQ(RuleOf(ParseNumber("8 5").status()), "CELL_NOT_A_NUMBER");
  EXPECT_EQ(RuleOf(ParseNumber("inf").status()), "CELL_NOT_A_NUMBER");
  EXPECT_EQ(RuleOf(ParseWhole("1.5").status()), "CELL_NOT_WHOLE");
  EXPECT_EQ(*ParseLevel("县 级"), scale::v1::LEVEL_COUNTY);
  EXPECT_EQ(RuleOf(ParseLevel("乡级").status()), "CELL_LEVEL_UNKNOWN");
  EXPECT_TRUE(*ParseYesNo("是"));
  EXPECT_FALSE(*ParseYesNo("否"));
  EXPECT_EQ(RuleOf(ParseYesNo("大概").status()), "CELL_NOT_YES_OR_NO");
}

}  // namespace
}  // namespace qinglan::importing
