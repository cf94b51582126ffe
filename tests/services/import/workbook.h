// Makes small Excel workbooks, whole or broken on purpose.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace qinglan::importing {

struct WorkbookParts {
  std::string rows;            // what stands in <sheetData>
  std::string merges;          // what stands in <mergeCells>: "A1:H1,A2:H2"
  std::string shared_strings;  // what stands in <sst>
  std::string number_formats;  // what stands in <numFmts>
  std::string styles;          // what stands in <cellXfs>
  std::string workbook_properties;
  std::string sheet_name = "Sheet1";
};

// A zip archive of these files.
std::string Zip(const std::map<std::string, std::string>& files);

std::map<std::string, std::string> PartsOf(const WorkbookParts& parts);
std::string Workbook(const WorkbookParts& parts);

// The XML of a row of inline texts, its first cell in column A; an empty text is an empty cell.
std::string TextRow(int row, const std::vector<std::string>& texts);

// GB 18030 bytes of `utf8`; any other of ICU's encodings likewise.
std::string Encoded(const std::string& utf8, const char* encoding);

}  // namespace qinglan::importing
