// A workbook. Input: either the bytes of a file, or (first byte 1) the XML of its first sheet, which is
// packed into a workbook here, for hardly any mutation of a zip archive is one.
#include <string>

#include "eventstore/check.h"
#include "services/qinglan/import/reading/xlsx.h"
#include "tests/fuzz/seeds/workbook.h"
#include "tests/fuzz/targets/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan;
  fuzz::Input input(bytes, size);
  const bool sheet = !input.empty() && input.rest().front() == 1;
  if (sheet) input.Byte();
  const auto tables =
      importing::ReadXlsx(sheet ? fuzz::Workbook(input.rest()) : std::string(input.rest()), "file.xlsx");
  if (!tables.ok()) return 0;
  for (const importing::Table& table : *tables) {
    QL_CHECK(table.rows.size() <= importing::kRowsMax, "no more rows than there may be");
    for (const importing::Row& row : table.rows)
      QL_CHECK(row.cells.size() <= importing::kColumnsMax, "no more columns than there may be");
  }
  return 0;
}
