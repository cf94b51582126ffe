// What stands above the header of a sign-in sheet: what was held, when, where, by whom, and for how many
// credit hours.
#pragma once

#include <absl/time/civil_time.h>

#include <optional>
#include <string>
#include <vector>

#include "services/qinglan/import/planning/planners.h"

namespace qinglan::importing {

struct SignInBlock {
  int column = 0;
  absl::CivilDay day;
  scale::v1::Half half = scale::v1::HALF_UNSPECIFIED;
};

struct SignInHead {
  std::string title;
  scale::v1::Level level = scale::v1::LEVEL_UNSPECIFIED;
  std::string place;
  std::string organiser;
  std::string organiser_key;
  uint32_t credit_tenths = 0;       // credit hours in tenths, of all half-days together
  std::vector<SignInBlock> blocks;  // ascending, at least one
};

// Nothing, with findings, when any of it is missing or unclear: SHEET_TITLE_MISSING, SHEET_INFO_MISSING
// {what}, CELL_LEVEL_UNKNOWN (of the title), CELL_ORG_UNKNOWN, CELL_BLOCK_NOT_IN_DAYS, CELL_BLOCK_TWICE,
// CELL_HOURS_UNEVEN, CELL_DATE_IN_FUTURE and those of ParseDays().
std::optional<SignInHead> ReadSignInHead(const Sheet& sheet, const Planning& planning);

}  // namespace qinglan::importing
