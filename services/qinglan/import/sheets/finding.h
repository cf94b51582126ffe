// What an import has to say about a file: where, which rule, how grave. A finding names no person: its place
// says which row is meant.
#pragma once

#include <absl/status/status.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::importing {

enum class Weight {
  kRefused,  // nothing of this row (row 0: of this sheet or file) is stored
  kUnclear,  // what this cell would say is not stored, the rest of the row is
  kNote,     // stored; something was taken for granted, or left aside, that the office should know of
};

struct Finding {
  Weight weight = Weight::kRefused;
  std::string file;
  std::string sheet;
  int row = 0;       // 1-based; 0: the whole file or sheet
  int column = 0;    // 1-based; 0: the whole row
  std::string rule;  // a reason of the message catalogue
  std::map<std::string, std::string> parameters;
  // What a server said, in both languages; empty when the rule's own sentence says it.
  std::string chinese;
  std::string english;
};

using Findings = std::vector<Finding>;

// A finding about a whole file from an error of the readers.
Finding FileFinding(std::string_view file, std::string_view sheet, const absl::Status& status);

}  // namespace qinglan::importing
