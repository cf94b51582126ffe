#include "services/privacy/receipt.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::privacy {
namespace {

constexpr std::string_view kTitle = "qinglan erasure receipt 1";

constexpr std::array<std::string_view, 8> kNames = {"subject",     "erasure",          "position",
                                                    "recorded_at", "key_destroyed_at", "key_versions",
                                                    "key_digest",  "installation"};

}  // namespace

std::string ReceiptText(const Receipt& receipt) {
  const std::array<std::string, kNames.size()> values = {
      receipt.subject,     receipt.erasure_id,       std::to_string(receipt.position),
      receipt.recorded_at, receipt.key_destroyed_at, std::to_string(receipt.key_versions),
      receipt.key_digest,  receipt.installation_id};
  std::string text = fmt::format("{}\n", kTitle);
  for (size_t i = 0; i < kNames.size(); ++i) text += fmt::format("{} {}\n", kNames[i], values[i]);
  return text;
}

bool LooksLikeReceipt(std::string_view note) { return note.starts_with(kTitle); }

absl::StatusOr<Receipt> OpenReceipt(std::string_view note, const eventstore::transparency::VerifierKey& key) {
  QL_ASSIGN_OR_RETURN(const std::string text, OpenNote(note, key));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::array<std::string, kNames.size()> values;
  Receipt receipt;
  bool good = lines.size() == kNames.size() + 2;
  for (size_t i = 0; good && i < kNames.size(); ++i) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(lines[i + 1], absl::MaxSplits(' ', 1));
    values[i] = parts.second;
  }
  good = good && absl::SimpleAtoi(values[2], &receipt.position) &&
         absl::SimpleAtoi(values[5], &receipt.key_versions);
  receipt.subject = values[0];
  receipt.erasure_id = values[1];
  receipt.recorded_at = values[3];
  receipt.key_destroyed_at = values[4];
  receipt.key_digest = values[6];
  receipt.installation_id = values[7];
  // Then no line is missing, besides, or spelled in another way.
  if (!good || ReceiptText(receipt) != text)
    return absl::InvalidArgumentError("what was signed is no receipt of an erasure");
  return receipt;
}

}  // namespace qinglan::privacy
