#include "services/qinglan/import/words.h"

#include "eventstore/check.h"

namespace qinglan::importing {

extern const char* const kEmbeddedWords;  // made from words.json

const nlohmann::json& Words() {
  static const auto* const words = [] {
    auto* parsed = new nlohmann::json(nlohmann::json::parse(kEmbeddedWords, nullptr, false));
    QL_CHECK(!parsed->is_discarded(), "words.json is JSON");
    return parsed;
  }();
  return *words;
}

}  // namespace qinglan::importing
