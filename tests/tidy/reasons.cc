#include "tests/tidy/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "tests/tidy/source.h"

namespace qinglan::tidy {
namespace {

using Names = std::set<std::string>;

struct Sentence {
  std::string file;
  std::map<std::string, Names> parameters;  // by language
};

struct Use {
  std::string where;
  std::string reason;
  Names parameters;
  bool literal = true;  // the call spells out its parameters
};

struct Callee {
  std::string_view name;
  size_t reason_argument;
};
constexpr std::array<Callee, 5> kCallees = {
    {{"Refuse", 0}, {"Missing", 1}, {"Invalid", 1}, {"Duplicate", 0}, {"Forbid", 0}}};

bool IsReason(std::string_view text) {
  return text.size() > 2 && std::ranges::all_of(text, [](char c) {
           return std::isupper(static_cast<unsigned char>(c)) != 0 ||
                  std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

// What fills itself in: the fields that an error names (services/runtime/catalogue.cc), the cell that an
// import refuses.
bool IsFilledIn(std::string_view file, std::string_view name) {
  return name == "fields" || (file.starts_with("services/qinglan/import/") && name == "value");
}

Names ParametersOf(std::string_view file, std::string_view sentence) {
  Names names;
  for (size_t open = sentence.find('{'); open != std::string_view::npos;
       open = sentence.find('{', open + 1)) {
    const std::string_view name = sentence.substr(open + 1, sentence.find('}', open) - open - 1);
    if (!IsFilledIn(file, name)) names.emplace(name);
  }
  return names;
}

std::map<std::string, Sentence> Sentences(const Tree& tree, Breaches& breaches) {
  std::map<std::string, Sentence> sentences;
  for (const auto& [path, text] : tree) {
    if (!path.starts_with("services/") || !path.ends_with("/messages.json")) continue;
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      breaches.push_back(fmt::format("{}:1: no JSON object", path));
      continue;
    }
    for (const auto& [reason, languages] : json.items()) {
      Sentence sentence{path, {}};
      for (const auto& [language, words] : languages.items()) {
        if (words.is_string() && words != "")
          sentence.parameters[language] = ParametersOf(path, words.get<std::string>());
      }
      if (!sentence.parameters.contains("zh") || !sentence.parameters.contains("en")) {
        breaches.push_back(fmt::format("{}: {} needs a sentence in zh and one in en", path, reason));
        continue;
      }
      const auto [other, fresh] = sentences.emplace(reason, sentence);
      if (!fresh) breaches.push_back(fmt::format("{}: {} is also in {}", path, reason, other->second.file));
    }
  }
  return sentences;
}

// The names in `{{"capacity", ...}, {"taken", ...}}`; nothing when the argument is no braced list.
std::optional<Names> GivenNames(std::string_view argument) {
  if (!argument.starts_with('{')) return std::nullopt;
  Names names;
  for (const std::string_view pair : Arguments(argument, 0)) {
    if (pair.empty()) continue;
    if (!pair.starts_with('{')) return std::nullopt;
    const std::string_view name = Arguments(pair, 0).front();
    if (!name.starts_with('"')) return std::nullopt;
    names.insert(std::string(Literals(name).front()));
  }
  return names;
}

void FindUses(const std::string& path, const std::string& code, const Callee& callee,
              std::vector<Use>& uses) {
  const std::string call = fmt::format("{}(", callee.name);
  for (size_t at = code.find(call); at != std::string::npos; at = code.find(call, at + 1)) {
    if (at > 0 && (std::isalnum(static_cast<unsigned char>(code[at - 1])) != 0 || code[at - 1] == '_'))
      continue;
    const std::vector<std::string_view> arguments = Arguments(code, at + call.size() - 1);
    if (arguments.size() <= callee.reason_argument) continue;
    std::optional<Names> parameters = Names{};
    if (arguments.size() > callee.reason_argument + 1)
      parameters = GivenNames(arguments[callee.reason_argument + 1]);
    for (const std::string_view reason : Literals(arguments[callee.reason_argument])) {
      uses.push_back({fmt::format("{}:{}", path, LineOf(code, at)), std::string(reason),
                      parameters.value_or(Names{}), parameters.has_value()});
    }
  }
}

// Ids tell programs what they tell nobody else: a call may give one that the sentence leaves out.
Names WithoutIds(const Names& given, const Names& named) {
  Names left;
  for (const std::string& name : given) {
    if (!name.ends_with("_id") || named.contains(name)) left.insert(name);
  }
  return left;
}

std::string Listed(const Names& names) {
  return names.empty() ? "nothing" : fmt::format("{{{}}}", fmt::join(names, "}, {"));
}

// "  TIER_NEW = 1;  // ..." says TIER_NEW: an enum's values may have sentences, too.
void TakeEnumValues(std::string_view proto, Names& names) {
  for (std::string_view line : Lines(proto)) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view name = line.substr(0, line.find(" = "));
    if (name.size() < line.size() && IsReason(name)) names.emplace(name);
  }
}

bool IsServiceCode(std::string_view path) { return path.starts_with("services/") && IsCpp(path); }

}  // namespace

Breaches ReasonsWithoutSentence(const Tree& tree) {
  Breaches breaches;
  const std::map<std::string, Sentence> sentences = Sentences(tree, breaches);
  std::vector<Use> uses;
  for (const auto& [path, text] : tree) {
    if (!IsServiceCode(path)) continue;
    const std::string code = WithoutComments(text);
    for (const Callee& callee : kCallees) FindUses(path, code, callee, uses);
  }
  for (const Use& use : uses) {
    if (!IsReason(use.reason)) {
      breaches.push_back(fmt::format("{}: \"{}\" is no UPPER_SNAKE_CASE reason", use.where, use.reason));
      continue;
    }
    const auto sentence = sentences.find(use.reason);
    if (sentence == sentences.end()) {
      breaches.push_back(fmt::format("{}: {} has no sentence in any messages.json", use.where, use.reason));
      continue;
    }
    if (!use.literal) continue;
    for (const auto& [language, parameters] : sentence->second.parameters) {
      if (parameters == WithoutIds(use.parameters, parameters)) continue;
      breaches.push_back(fmt::format("{}: {} gives {}, but its {} sentence in {} names {}", use.where,
                                     use.reason, Listed(use.parameters), language, sentence->second.file,
                                     Listed(parameters)));
    }
  }
  return breaches;
}

Breaches SentencesWithoutReason(const Tree& tree) {
  Breaches breaches;
  Names named;
  Names beginnings;  // "TIER_": names that are put together
  for (const auto& [path, text] : tree) {
    if (path.ends_with(".proto")) TakeEnumValues(text, named);
    // Some reasons are found a floor below, by what checks a policy.
    if (!IsCpp(path) || !(path.starts_with("services/") || path.starts_with("projections/"))) continue;
    const std::string code = WithoutComments(text);
    for (const std::string_view literal : Literals(code)) {
      if (IsReason(literal)) (literal.ends_with('_') ? beginnings : named).emplace(literal);
    }
  }
  const auto is_said = [&](const std::string& reason) {
    return named.contains(reason) || std::ranges::any_of(beginnings, [&](const std::string& beginning) {
             return reason.starts_with(beginning);
           });
  };
  Breaches ignored;  // what is wrong with the sentences themselves is the other rule's business
  for (const auto& [reason, sentence] : Sentences(tree, ignored)) {
    if (!is_said(reason)) {
      breaches.push_back(fmt::format("{}: nothing says {}: remove its sentence", sentence.file, reason));
    }
  }
  return breaches;
}

}  // namespace qinglan::tidy
