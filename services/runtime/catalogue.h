// Every sentence that a user can be shown, in every language, from the messages.json files beside the code
// that needs them.
#pragma once

#include <absl/status/status.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "qinglan/error/v1/error.pb.h"

namespace qinglan::runtime {

enum class Language { kChinese, kEnglish };

// The first of ours that an accept-language header asks for; Chinese when it asks for none of them.
Language ParseLanguage(std::string_view accept_language);

// The sentence of `reason` with its {names} filled in from `parameters`; the reason itself when the catalogue
// lacks it.
std::string Sentence(Language language, std::string_view reason,
                     const std::map<std::string, std::string>& parameters = {});

// What went wrong, for people: the sentence of the status' reason with each field's violation in words. A
// status without a reason (the store's own, a bug's) keeps its message.
std::string Describe(Language language, const absl::Status& status);

// Every reason there is, for tests.
std::vector<std::string> Reasons();

}  // namespace qinglan::runtime
