#include "services/qinglan/import/planning/attendance/sign_in_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "services/qinglan/import/sheets/block.h"
#include "services/qinglan/import/words.h"

namespace qinglan::importing {
namespace {

constexpr double kCreditHoursMax = 1000;

// A value of the head, and the cell that it stands in.
struct Info {
  std::string text;
  int row = 0;
  int column = 0;
};

class HeadReader {
 public:
  HeadReader(const Sheet& sheet, const Planning& planning) : sheet_(sheet), planning_(planning) {}

  std::optional<SignInHead> Read() {
    SignInHead head;
    CollectCells();
    ReadTitle(head);
    const Info days_info = Get("days");
    head.place = Get("place").text;
    ReadOrganiser(head);
    ReadBlocks(days_info, head);
    ReadHours(head);
    if (refused_) return std::nullopt;
    Say(Weight::kNote, title_, "SHEET_SIGN_IN_DEFAULTS");
    return head;
  }

 private:
  void Say(Weight weight, const Info& at, std::string_view rule,
           std::map<std::string, std::string> parameters = {}) {
    refused_ |= weight == Weight::kRefused;
    planning_.plan.findings.push_back(Finding{weight, sheet_.table.file, sheet_.table.sheet, at.row,
                                              at.column, std::string(rule), std::move(parameters)});
  }

  void Reject(const Info& at, std::string_view rule, std::map<std::string, std::string> parameters = {}) {
    Say(Weight::kRefused, at, rule, std::move(parameters));
  }

  // The cells above the header, each merged region once; the first is the title, unless it has a key of the
  // info line.
  void CollectCells() {
    for (size_t i = 0; i < sheet_.header_index; ++i) {
      const Row& row = sheet_.table.rows[i];
      for (const Cell& cell : row.cells) {
        if (cell.kind == CellKind::kEmpty || cell.merged) continue;
        const Info info{Normalise(cell.text), row.number, cell.column};
        if (title_.row == 0 && KeysIn(info.text).empty()) {
          title_ = info;
        } else {
          infos_.push_back(info);
        }
      }
    }
  }

  // Where the keys of an info line ("地点:") stand in `text`: position → which, and where its value begins.
  struct Key {
    std::string what;
    size_t value = 0;
  };
  static std::map<size_t, Key> KeysIn(const std::string& text) {
    std::map<size_t, Key> keys;
    for (const auto& [what, names] : Words().at("sign_in_info").items()) {
      for (const auto& name : names) {
        const std::string key = name.get<std::string>() + ":";
        const size_t at = text.find(key);
        if (at == std::string::npos) continue;
        // "培训时间:" is one key, not 时间 in the midst of it.
        const bool inside = std::any_of(keys.begin(), keys.end(), [&](const auto& other) {
          return other.second.value == at + key.size();
        });
        if (!inside) keys[at] = Key{what, at + key.size()};
      }
    }
    return keys;
  }

  // The value that a line gives to `what`; refused when no line does.
  Info Get(const std::string& what) {
    for (const Info& info : infos_) {
      const auto keys = KeysIn(info.text);
      for (auto key = keys.begin(); key != keys.end(); ++key) {
        if (key->second.what != what) continue;
        const size_t end = std::next(key) == keys.end() ? info.text.size() : std::next(key)->first;
        Info value = info;
        value.text = Normalise(info.text.substr(key->second.value, end - key->second.value));
        if (!value.text.empty()) return value;
      }
    }
    const std::string name = Words().at("sign_in_info").at(what).at(0);
    Reject({"", sheet_.Header().number, 0}, "SHEET_INFO_MISSING", {{"what", name}});
    return {};
  }

  void ReadTitle(SignInHead& head) {
    head.title = title_.text;
    if (title_.row == 0) {
      Reject({"", sheet_.Header().number, 0}, "SHEET_TITLE_MISSING");
      return;
    }
    for (const auto& word : Words().at("level_in_title")) {
      if (head.title.find(word.at(0).get<std::string>()) == std::string::npos) continue;
      if (scale::v1::Level_Parse(word.at(1).get<std::string>(), &head.level)) return;
    }
    Reject(title_, "CELL_LEVEL_UNKNOWN");
  }

  void ReadOrganiser(SignInHead& head) {
    const Info organiser = Get("organiser");
    head.organiser = organiser.text;
    if (organiser.text.empty()) return;
    head.organiser_key = planning_.directory.Organisation(organiser.text);
    if (head.organiser_key.empty()) Reject(organiser, "CELL_ORG_UNKNOWN");
  }

  void ReadBlocks(const Info& info, SignInHead& head) {
    if (info.text.empty()) return;
    const auto days = ParseDays(info.text);
    if (!days.ok()) {
      Reject(info, RuleOf(days.status()));
      return;
    }
    if (days->back() > planning_.today) Reject(info, "CELL_DATE_IN_FUTURE");
    std::set<std::pair<absl::CivilDay, int>> seen;
    for (const int column : sheet_.block_columns) {
      const Info header{"", sheet_.Header().number, column};
      const auto words = ParseBlockHeader(sheet_.Header().At(column).text);
      const auto day = words ? DayOf(*words, *days) : std::nullopt;
      if (!day) {
        Reject(header, "CELL_BLOCK_NOT_IN_DAYS");
        continue;
      }
      if (!seen.emplace(*day, static_cast<int>(words->half)).second) Reject(header, "CELL_BLOCK_TWICE");
      head.blocks.push_back(SignInBlock{column, *day, words->half});
    }
    std::sort(head.blocks.begin(), head.blocks.end(), [](const SignInBlock& a, const SignInBlock& b) {
      return std::pair(a.day, static_cast<int>(a.half)) < std::pair(b.day, static_cast<int>(b.half));
    });
  }

  void ReadHours(SignInHead& head) {
    const Info info = Get("hours");
    if (info.text.empty()) return;
    std::string text = info.text;
    if (text.ends_with("学时")) text.resize(text.size() - std::string_view("学时").size());
    const auto hours = ParseNumber(text);
    if (!hours.ok()) {
      Reject(info, RuleOf(hours.status()));
      return;
    }
    if (*hours < 0 || *hours > kCreditHoursMax) {
      Reject(info, "CELL_OUT_OF_RANGE", {{"min", "0"}, {"max", fmt::format("{:g}", kCreditHoursMax)}});
      return;
    }
    head.credit_tenths = static_cast<uint32_t>(std::lround(*hours * 10));
    const bool even = std::abs(*hours * 10 - head.credit_tenths) < 1e-9 &&
                      (head.blocks.empty() || head.credit_tenths % head.blocks.size() == 0);
    if (!even) Reject(info, "CELL_HOURS_UNEVEN", {{"blocks", fmt::to_string(head.blocks.size())}});
  }

  const Sheet& sheet_;
  const Planning& planning_;
  Info title_;
  std::vector<Info> infos_;
  bool refused_ = false;
};

}  // namespace

std::optional<SignInHead> ReadSignInHead(const Sheet& sheet, const Planning& planning) {
  return HeadReader(sheet, planning).Read();
}

}  // namespace qinglan::importing
