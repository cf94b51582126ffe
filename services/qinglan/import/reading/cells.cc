#include "services/qinglan/import/reading/cells.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>
#include <vector>

#include "eventstore/check.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

icu::UnicodeString Normalised(std::string_view text, bool compatible) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* form =
      compatible ? icu::Normalizer2::getNFKCInstance(error) : icu::Normalizer2::getNFCInstance(error);
  QL_CHECK(U_SUCCESS(error), "ICU bears the normalisation forms");
  icu::UnicodeString result =
      form->normalize(icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())}), error);
  QL_CHECK(U_SUCCESS(error), "normalising needs only memory");
  return result;
}

// Space as people see it: nothing, or a gap. Zero-width characters come along when one copies from a web
// page.
bool IsSpace(UChar32 c) {
  return u_isUWhiteSpace(c) || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
}

bool IsZeroWidth(UChar32 c) { return IsSpace(c) && !u_isUWhiteSpace(c); }

bool IsDash(UChar32 c) { return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63; }

bool IsMiddleDot(UChar32 c) {
  return c == 0x00B7 || c == 0x2022 || c == 0x2027 || c == 0x30FB || c == 0x22C5 || c == 0xFF65 ||
         c == 0x2219;
}

bool IsHan(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC); }

std::u32string Characters(const icu::UnicodeString& text) {
  std::u32string characters;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
    characters += static_cast<char32_t>(text.char32At(i));
  return characters;
}

std::string Utf8(const std::u32string& characters) {
  icu::UnicodeString text;
  for (const char32_t c : characters) text.append(static_cast<UChar32>(c));
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

// Space around gone, one plain space for each run within.
std::u32string Squeezed(const std::u32string& characters) {
  std::u32string squeezed;
  bool gap = false;
  for (const char32_t c : characters) {
    if (IsSpace(static_cast<UChar32>(c))) {
      gap = gap || !IsZeroWidth(static_cast<UChar32>(c));
      continue;
    }
    if (gap && !squeezed.empty()) squeezed += U' ';
    gap = false;
    squeezed += c;
  }
  return squeezed;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int Int(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// "4.40981E+17"
bool IsScientific(std::string_view text) {
  const size_t e = text.find_first_of("Ee");
  if (e == std::string_view::npos || e == 0) return false;
  std::string mantissa(text.substr(0, e));
  std::erase(mantissa, '.');
  std::string_view exponent = text.substr(e + 1);
  if (!exponent.starts_with('+') && text.find('.') == std::string_view::npos)
    return false;  // "1E5" may be a number of a room
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  return AllDigits(mantissa) && AllDigits(exponent);
}

// The numbers of a date in one of the shapes, most significant first; empty when it is in none.
std::vector<std::string> DateParts(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  if (AllDigits(text) && text.size() == 8) return {text.substr(0, 4), text.substr(4, 2), text.substr(6)};
  if (AllDigits(text) && text.size() == 6) return {text.substr(0, 4), text.substr(4)};
  const std::array<std::array<std::string_view, 3>, 4> shapes = {
      {{"/", "/", ""}, {"-", "-", ""}, {".", ".", ""}, {"年", "月", "日"}}};
  for (const auto& marks : shapes) {
    std::vector<std::string> parts;
    std::string_view rest = text;
    for (const std::string_view mark : marks) {
      const size_t end = mark.empty() ? rest.size() : rest.find(mark);
      if (end == std::string_view::npos || end == 0) break;
      parts.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + mark.size(), rest.size()));
    }
    if (!rest.empty() && parts.size() == 1 && marks[2].empty()) {
      parts.emplace_back(rest);
      rest = {};
    }
    // "2025年9月18号", and a time of day after the date, as Excel exports it.
    if (rest == "号") rest = {};
    if (parts.size() == 2 && marks[2] == "日" && rest.ends_with("号") &&
        AllDigits(rest.substr(0, rest.size() - 3))) {
      parts.emplace_back(rest.substr(0, rest.size() - 3));
      rest = {};
    }
    if (rest.empty() && parts.size() >= 2 && parts[0].size() == 4 &&
        std::all_of(parts.begin(), parts.end(),
                    [](const std::string& p) { return AllDigits(p) && p.size() <= 4; }) &&
        std::all_of(parts.begin() + 1, parts.end(), [](const std::string& p) { return p.size() <= 2; })) {
      return parts;
    }
  }
  return {};
}

// A date without the midnight that spreadsheets write behind it.
std::string WithoutMidnight(std::string text) {
  for (const std::string_view tail :
       {" 00:00:00", " 0:00:00", " 0:00", " 00:00", "T00:00:00", "T00:00:00Z"}) {
    if (text.ends_with(tail)) return text.substr(0, text.size() - tail.size());
  }
  return text;
}

absl::StatusOr<MonthOrDay> MonthOrDayOf(std::string_view text, std::string_view expected) {
  const std::vector<std::string> parts = DateParts(WithoutMidnight(Normalise(text)));
  if (parts.empty()) return Invalid("", expected);
  const int year = Int(parts[0]);
  const int month = Int(parts[1]);
  if (year < 1900 || year > 2199 || month < 1 || month > 12) return Invalid("", "CELL_DATE_IMPOSSIBLE");
  MonthOrDay result{absl::CivilMonth(year, month), std::nullopt};
  if (parts.size() == 2) return result;
  const absl::CivilDay day(year, month, Int(parts[2]));
  if (day.day() != Int(parts[2]) || day.month() != month) return Invalid("", "CELL_DATE_IMPOSSIBLE");
  result.day = day;
  return result;
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// A word as it is compared: small letters, and no space, which in "县 级" only aligns.
std::string Word(std::string_view text) {
  std::string word = Normalise(text);
  std::erase(word, ' ');
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

}  // namespace

std::string Normalise(std::string_view text) { return Utf8(Squeezed(Characters(Normalised(text, true)))); }

absl::StatusOr<std::string> ParseId(std::string_view text, bool number_cell) {
  std::u32string characters = Squeezed(Characters(Normalised(text, true)));
  std::erase(characters, U' ');
  for (char32_t& c : characters) {
    if (IsDash(static_cast<UChar32>(c))) c = U'-';
    if (c >= U'a' && c <= U'z') c -= U'a' - U'A';
  }
  const std::string id = Utf8(characters);
  if (IsScientific(id)) return Invalid("", "CELL_NUMBER_SCIENTIFIC");
  if (number_cell && id.size() > 15) return Invalid("", "CELL_NUMBER_LOST_DIGITS");
  const bool good = std::all_of(characters.begin(), characters.end(), [](char32_t c) {
    return u_isalnum(static_cast<UChar32>(c)) || c == U'-' || c == U'_' || c == U'.' || c == U'/';
  });
  if (id.empty() || !good) return Invalid("", "CELL_NOT_AN_ID");
  return id;
}

absl::StatusOr<std::string> ParseName(std::string_view text) {
  // Composed form only: the compatible one would put another character in the place of some that stand in
  // names.
  std::u32string squeezed = Squeezed(Characters(Normalised(text, false)));
  std::u32string name;
  for (size_t i = 0; i < squeezed.size(); ++i) {
    const auto c = static_cast<UChar32>(squeezed[i]);
    if (u_isdigit(c)) return Invalid("", "CELL_NOT_A_NAME");
    const bool between_han =
        c == U' ' && IsHan(static_cast<UChar32>(name.back())) && IsHan(static_cast<UChar32>(squeezed[i + 1]));
    if (!between_han) name += IsMiddleDot(c) ? U'\u00B7' : squeezed[i];
  }
  if (name.empty()) return Invalid("", "CELL_NOT_A_NAME");
  return Utf8(name);
}

absl::StatusOr<absl::CivilDay> ParseDay(std::string_view text) {
  const auto parsed = MonthOrDayOf(text, "CELL_NOT_A_DATE");
  if (!parsed.ok()) return parsed.status();
  if (!parsed->day) return Invalid("", "CELL_NOT_A_DATE");
  return *parsed->day;
}

absl::StatusOr<MonthOrDay> ParseMonth(std::string_view text) {
  return MonthOrDayOf(text, "CELL_NOT_A_MONTH");
}

absl::StatusOr<double> ParseNumber(std::string_view text) {
  const std::string plain = Normalise(text);
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error != std::errc() || end != plain.data() + plain.size() || !std::isfinite(value)) {
    return Invalid("", "CELL_NOT_A_NUMBER");
  }
  return value;
}

absl::StatusOr<int> ParseWhole(std::string_view text) {
  const auto value = ParseNumber(text);
  if (!value.ok()) return value.status();
  if (*value != std::floor(*value) || std::abs(*value) > 1e9) return Invalid("", "CELL_NOT_WHOLE");
  return static_cast<int>(*value);
}

absl::StatusOr<bool> ParseYesNo(std::string_view text) {
  const std::string word = Word(text);
  if (IsOneOf(word, {"是", "有", "已", "√", "✓", "y", "yes", "true", "1"})) return true;
  if (IsOneOf(word, {"否", "无", "未", "×", "✗", "n", "no", "false", "0"})) return false;
  return Invalid("", "CELL_NOT_YES_OR_NO");
}

absl::StatusOr<scale::v1::Level> ParseLevel(std::string_view text) {
  const std::string word = Word(text);
  if (IsOneOf(word, {"校级", "校", "园级", "school"})) return scale::v1::LEVEL_SCHOOL;
  if (IsOneOf(word, {"片区级", "片级", "片区", "片", "镇级", "学区级", "zone"})) return scale::v1::LEVEL_ZONE;
  if (IsOneOf(word,
              {"县级", "县", "区级", "区", "县区级", "县(区)级", "县(市、区)级", "county", "district"})) {
    return scale::v1::LEVEL_COUNTY;
  }
  if (IsOneOf(word, {"市级", "市", "地市级", "city"})) return scale::v1::LEVEL_CITY;
  if (IsOneOf(word, {"省级", "省", "province", "provincial"})) return scale::v1::LEVEL_PROVINCE;
  if (IsOneOf(word, {"国家级", "国级", "国", "national"})) return scale::v1::LEVEL_NATIONAL;
  return Invalid("", "CELL_LEVEL_UNKNOWN");
}

absl::StatusOr<Mark> ParseMark(std::string_view text) {
  const std::string word = Word(text);
  if (word.empty()) return Invalid("", "CELL_MARK_MISSING");
  if (IsOneOf(word, {"√", "✓", "✔", "☑", "v", "出席", "出勤", "到", "已到", "签到", "1", "present"}))
    return Mark::kPresent;
  if (IsOneOf(word, {"迟到", "迟", "late"})) return Mark::kLate;
  if (IsOneOf(word, {"早退", "退", "leftearly"})) return Mark::kLeftEarly;
  if (IsOneOf(word, {"请假", "假", "事假", "病假", "公假", "公差", "产假", "excused"})) return Mark::kExcused;
  if (IsOneOf(word, {"×", "✗", "✘", "x", "缺席", "缺勤", "缺", "旷", "旷课", "未到", "0", "absent"}))
    return Mark::kAbsent;
  return Invalid("", "CELL_MARK_UNKNOWN");
}

std::string RuleOf(const absl::Status& status) {
  if (const auto detail = runtime::DetailOf(status); detail && detail->fields_size() > 0)
    return detail->fields(0).rule();
  return runtime::ReasonOf(status);
}

}  // namespace qinglan::importing
