#include "services/qinglan/import/sheets/block.h"

#include <array>
#include <regex>
#include <string>
#include <utility>

#include "services/qinglan/import/reading/cells.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

std::string WithoutSpaces(std::string_view text) {
  std::string plain = Normalise(text);
  std::erase(plain, ' ');
  return plain;
}

std::optional<absl::CivilDay> RealDay(int year, int month, int day) {
  if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1) return std::nullopt;
  const absl::CivilDay real(year, month, day);
  if (real.month() != month || real.day() != day) return std::nullopt;
  return real;
}

}  // namespace

absl::StatusOr<std::vector<absl::CivilDay>> ParseDays(std::string_view text) {
  static const std::regex first_shape("^(\\d{4})(?:年|-|/|\\.)(\\d{1,2})(?:月|-|/|\\.)(\\d{1,2})日?(.*)$");
  static const std::regex last_shape(
      "^(?:至|到|-|~|—|–)(?:(\\d{4})(?:年|-|/|\\.))?(?:(\\d{1,2})(?:月|-|/|\\.))?(\\d{1,2})日?$");
  const std::string plain = WithoutSpaces(text);
  std::smatch match;
  if (!std::regex_match(plain, match, first_shape)) return Invalid("", "CELL_NOT_A_DATE");
  const auto first = RealDay(std::stoi(match[1]), std::stoi(match[2]), std::stoi(match[3]));
  if (!first) return Invalid("", "CELL_DATE_IMPOSSIBLE");
  std::optional<absl::CivilDay> last = first;
  if (const std::string rest = match[4]; !rest.empty()) {
    std::smatch end;
    if (!std::regex_match(rest, end, last_shape)) return Invalid("", "CELL_NOT_A_DATE");
    const int year = end[1].matched ? std::stoi(end[1]) : static_cast<int>(first->year());
    last = RealDay(year, end[2].matched ? std::stoi(end[2]) : first->month(), std::stoi(end[3]));
    if (!last) return Invalid("", "CELL_DATE_IMPOSSIBLE");
  }
  if (*last < *first || *last - *first >= kSessionDaysMax) return Invalid("", "CELL_DAYS_DISORDERED");
  std::vector<absl::CivilDay> days;
  for (absl::CivilDay day = *first; day <= *last; ++day) days.push_back(day);
  return days;
}

std::optional<BlockWords> ParseBlockHeader(std::string_view text) {
  static const std::regex shape(
      "^(?:(\\d{4})(?:年|-|/|\\.))?(?:(\\d{1,2})(?:月|-|/|\\.))?(?:(\\d{1,2})日?)?"
      "(上午|下午|晚上|晚|AM|PM|am|pm|morning|afternoon|evening|Morning|Afternoon|Evening)$");
  const std::string plain = WithoutSpaces(text);
  std::smatch match;
  if (!std::regex_match(plain, match, shape)) return std::nullopt;
  BlockWords words;
  if (match[1].matched) words.year = std::stoi(match[1]);
  if (match[2].matched) words.month = std::stoi(match[2]);
  if (match[3].matched) words.day = std::stoi(match[3]);
  const std::string half = match[4];
  const bool morning =
      half == "上午" || half == "AM" || half == "am" || half == "morning" || half == "Morning";
  const bool evening = half.starts_with("晚") || half == "evening" || half == "Evening";
  words.half = morning   ? scale::v1::HALF_MORNING
               : evening ? scale::v1::HALF_EVENING
                         : scale::v1::HALF_AFTERNOON;
  return words;
}

std::optional<absl::CivilDay> DayOf(const BlockWords& words, const std::vector<absl::CivilDay>& days) {
  std::optional<absl::CivilDay> found;
  for (const absl::CivilDay& day : days) {
    const bool fits = (!words.year || *words.year == day.year()) &&
                      (!words.month || *words.month == day.month()) &&
                      (!words.day || *words.day == day.day());
    if (!fits) continue;
    if (found) return std::nullopt;
    found = day;
  }
  return found;
}

}  // namespace qinglan::importing
