// A text file as an office hands it in: its encoding, its rows, and what its cells mean.
#include <cstring>

#include "eventstore/check.h"
#include "services/qinglan/import/reading/cells.h"
#include "services/qinglan/import/reading/csv.h"
#include "services/qinglan/import/reading/encoding.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

// Valid to the last byte.
bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = importing::Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void Examine(const importing::Cell& cell) {
  QL_CHECK(!cell.problem.empty() || IsUtf8(cell.text), "a cell without a problem is text");
  QL_CHECK(cell.text.size() <= importing::kCellBytesMax || !cell.problem.empty(),
           "a cell is no longer than it may be");
  const std::string once = importing::Normalise(cell.text);
  QL_CHECK(importing::Normalise(once) == once, "what is normal stays as it is");
  (void)importing::ParseId(cell.text, cell.kind == importing::CellKind::kNumber);
  (void)importing::ParseName(cell.text);
  (void)importing::ParseDay(cell.text);
  (void)importing::ParseMonth(cell.text);
  (void)importing::ParseNumber(cell.text);
  (void)importing::ParseWhole(cell.text);
  (void)importing::ParseYesNo(cell.text);
  (void)importing::ParseLevel(cell.text);
  (void)importing::ParseMark(cell.text);
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan;
  const auto decoded = importing::DecodeText(fuzz::Input(bytes, size).rest());
  if (!decoded.ok()) return 0;
  QL_CHECK(fuzz::IsUtf8(decoded->text), "decoded text is UTF-8");
  const auto table = importing::ReadCsv(decoded->text, "file.csv");
  if (!table.ok()) return 0;
  int number = 0;
  for (const importing::Row& row : table->rows) {
    QL_CHECK(row.number > number, "rows are numbered in order");
    number = row.number;
    for (const importing::Cell& cell : row.cells) fuzz::Examine(cell);
  }
  return 0;
}
