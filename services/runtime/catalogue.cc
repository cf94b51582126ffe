#include "services/runtime/catalogue.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "services/runtime/error.h"

namespace qinglan::runtime {

// Made by services/CMakeLists.txt: every messages.json, a JSON object each, and a null pointer.
extern const char* const kEmbeddedMessages[];

namespace {

struct Entry {
  std::string chinese;
  std::string english;
};

const std::map<std::string, Entry, std::less<>>& Entries() {
  static const auto* const entries = [] {
    auto* all = new std::map<std::string, Entry, std::less<>>();
    for (const char* const* text = kEmbeddedMessages; *text != nullptr; ++text) {
      const auto file = nlohmann::json::parse(*text, nullptr, false);
      QL_CHECK(!file.is_discarded(), "the embedded messages are JSON");
      for (const auto& [reason, sentence] : file.items()) {
        const bool first = all->emplace(reason, Entry{sentence.at("zh"), sentence.at("en")}).second;
        QL_CHECK(first, reason.c_str());
      }
    }
    return all;
  }();
  return *entries;
}

std::string FillIn(const std::string& sentence, const std::map<std::string, std::string>& parameters) {
  std::string filled;
  size_t at = 0;
  while (at < sentence.size()) {
    const size_t open = sentence.find('{', at);
    const size_t close = open == std::string::npos ? open : sentence.find('}', open);
    if (close == std::string::npos) break;
    filled += sentence.substr(at, open - at);
    const auto value = parameters.find(sentence.substr(open + 1, close - open - 1));
    filled += value == parameters.end() ? sentence.substr(open, close - open + 1) : value->second;
    at = close + 1;
  }
  return filled + sentence.substr(at);
}

}  // namespace

Language ParseLanguage(std::string_view accept_language) {
  const size_t chinese = accept_language.find("zh");
  const size_t english = accept_language.find("en");
  return english < chinese ? Language::kEnglish : Language::kChinese;
}

std::string Sentence(Language language, std::string_view reason,
                     const std::map<std::string, std::string>& parameters) {
  const auto entry = Entries().find(reason);
  if (entry == Entries().end()) return std::string(reason);
  return FillIn(language == Language::kEnglish ? entry->second.english : entry->second.chinese, parameters);
}

std::string Describe(Language language, const absl::Status& status) {
  const auto detail = DetailOf(status);
  if (!detail.has_value()) return std::string(status.message());
  std::map<std::string, std::string> parameters(detail->metadata().begin(), detail->metadata().end());
  std::string fields;
  for (const error::v1::FieldViolation& violation : detail->fields()) {
    fields += fields.empty() ? "" : (language == Language::kEnglish ? "; " : ";");
    fields += violation.field();
    if (violation.rule() != detail->reason())
      fields += " " + Sentence(language, violation.rule(), parameters);
  }
  parameters.emplace("fields", fields);
  return Sentence(language, detail->reason(), parameters);
}

std::vector<std::string> Reasons() {
  std::vector<std::string> reasons;
  for (const auto& [reason, entry] : Entries()) reasons.push_back(reason);
  return reasons;
}

}  // namespace qinglan::runtime
