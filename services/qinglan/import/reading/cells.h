// What the text of one cell means. Nothing is guessed: what has no certain meaning is an INVALID_ARGUMENT
// with the reason that the comment names. Pure functions.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <optional>
#include <string>
#include <string_view>

#include "qinglan/scale/v1/scale.pb.h"

namespace qinglan::importing {

// NFKC (full-width digits and letters become plain ones), space around it gone, runs of space within one.
std::string Normalise(std::string_view text);

// A staff number, a document's number: Normalise()d, no space at all, every kind of dash '-', capital
// letters. CELL_NUMBER_SCIENTIFIC ("4.40981E+17": Excel has thrown digits away), CELL_NUMBER_LOST_DIGITS (a
// number cell of more than 15 digits), CELL_NOT_AN_ID (characters that no number has).
absl::StatusOr<std::string> ParseId(std::string_view text, bool number_cell = false);

// A person's name: no space between Han characters ("马 明" is 马明), one middle dot for all of them
// (阿依古丽·买买提). CELL_NOT_A_NAME when digits or nothing are left.
absl::StatusOr<std::string> ParseName(std::string_view text);

// A day: 2025/10/11, 2025-10-12, 2025.9.2, 2025年9月18日, 20251012; CELL_NOT_A_DATE for any other shape
// (9/2/25 could be two days), CELL_DATE_IMPOSSIBLE for 2025-02-30.
absl::StatusOr<absl::CivilDay> ParseDay(std::string_view text);

// A day, or a month alone (2025-05, 2025.5, 2025年5月, 202505). CELL_NOT_A_MONTH, CELL_DATE_IMPOSSIBLE.
struct MonthOrDay {
  absl::CivilMonth month;
  std::optional<absl::CivilDay> day;
};
absl::StatusOr<MonthOrDay> ParseMonth(std::string_view text);

// CELL_NOT_A_NUMBER, also for "inf" and the like.
absl::StatusOr<double> ParseNumber(std::string_view text);
absl::StatusOr<int> ParseWhole(std::string_view text);

// 是 有 √ Y true 1, 否 无 × N false 0. CELL_NOT_YES_OR_NO.
absl::StatusOr<bool> ParseYesNo(std::string_view text);

// 校级, 片区级, 县级 or 区级, 市级, 省级, 国家级, and the English words. CELL_LEVEL_UNKNOWN.
absl::StatusOr<scale::v1::Level> ParseLevel(std::string_view text);

// The marks of a sign-in sheet.
enum class Mark { kPresent, kLate, kLeftEarly, kExcused, kAbsent };
// √ ✓ 出席 到 1, 迟到, 早退, 请假 (any kind of it), × 缺席 旷. CELL_MARK_UNKNOWN; CELL_MARK_MISSING for an
// empty one.
absl::StatusOr<Mark> ParseMark(std::string_view text);

// The reason of an error of these functions.
std::string RuleOf(const absl::Status& status);

}  // namespace qinglan::importing
