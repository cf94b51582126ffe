// A workbook with one sheet, made in memory.
#pragma once

#include <string>
#include <string_view>

namespace qinglan::fuzz {

// The bytes of an .xlsx file whose first sheet has this XML.
std::string Workbook(std::string_view sheet);

}  // namespace qinglan::fuzz
