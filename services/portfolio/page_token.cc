#include "services/portfolio/page_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_split.h>
#include <fmt/ranges.h>

#include "eventstore/text.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {

std::string MakePageToken(const std::vector<std::string>& parts) {
  std::string token;
  absl::WebSafeBase64Escape(Absl(fmt::format("{}", fmt::join(parts, " "))), &token);
  return token;
}

absl::StatusOr<std::vector<std::string>> ParsePageToken(std::string_view token, size_t parts,
                                                        std::string_view field) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(Absl(token), &text)) return runtime::Invalid(field, "PAGE_TOKEN");
  std::vector<std::string> found = absl::StrSplit(text, ' ');
  if (found.size() != parts) return runtime::Invalid(field, "PAGE_TOKEN");
  return found;
}

}  // namespace qinglan::portfolio
