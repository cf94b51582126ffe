// What an import says at its end, for people and for programs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/qinglan/import/applying/apply.h"
#include "services/runtime/catalogue.h"

namespace qinglan::importing {

// Rows of one kind of sheet, each counted once under what became of it.
struct RowCounts {
  size_t rows = 0;
  size_t fresh = 0;  // placed now (in a dry run: would be)
  size_t there = 0;  // was there already
  size_t refused = 0;
  size_t unclear = 0;  // of those placed or there: with a cell that was left out
};

struct Report {
  bool dry_run = false;
  bool checked = false;  // against what a server has recorded
  std::vector<std::string> files;
  std::map<std::string, RowCounts> kinds;
  Findings findings;

  bool AllPlaced() const;  // nothing was refused or unclear
};

// `outcomes` as of Applied; in a dry run what the recorded requests say, or all new.
Report MakeReport(const Plan& plan, std::vector<std::string> files, const std::vector<Outcome>& outcomes,
                  Findings server_findings);

// The outcomes that a dry run can tell: there or new.
std::vector<Outcome> Foreseen(const Plan& plan, const std::set<std::string>& recorded);

std::string Text(const Report& report, runtime::Language language);
nlohmann::json Json(const Report& report);

}  // namespace qinglan::importing
