// Days and half-days as sign-in sheets write them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <optional>
#include <string_view>
#include <vector>

#include "qinglan/scale/v1/scale.pb.h"

namespace qinglan::importing {

// Training of more days than this is no session with a sign-in sheet: a mistyped year, more likely.
inline constexpr int kSessionDaysMax = 60;

// The days that "2025年9月20日至21日", "2025-09-30 至 10-01" or one day alone names, ascending.
// CELL_NOT_A_DATE, CELL_DATE_IMPOSSIBLE, CELL_DAYS_DISORDERED (the last is before the first, or too far
// behind it).
absl::StatusOr<std::vector<absl::CivilDay>> ParseDays(std::string_view text);

// A half-day's header: as much of its date as it says.
struct BlockWords {
  std::optional<int> year;
  std::optional<int> month;
  std::optional<int> day;
  scale::v1::Half half = scale::v1::HALF_UNSPECIFIED;
};

// "20日上午", "9月20日下午", "2025-09-20 上午", "上午"; nothing when the text is no half-day.
std::optional<BlockWords> ParseBlockHeader(std::string_view text);

// Which of `days` is meant; nothing when none is, or more than one could be.
std::optional<absl::CivilDay> DayOf(const BlockWords& words, const std::vector<absl::CivilDay>& days);

}  // namespace qinglan::importing
