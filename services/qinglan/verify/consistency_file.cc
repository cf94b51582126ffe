#include "services/qinglan/verify/consistency_file.h"

#include <fmt/format.h>

#include "eventstore/transparency/note.h"

namespace qinglan {
namespace {

constexpr std::string_view kFirstLine = "qinglan-consistency-proof-1\n";

}  // namespace

std::string EncodeConsistency(const eventstore::transparency::Proof& proof) {
  std::string text(kFirstLine);
  for (const auto& hash : proof) text += eventstore::transparency::Base64(hash.view()) + "\n";
  return text;
}

absl::StatusOr<eventstore::transparency::Proof> DecodeConsistency(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return absl::InvalidArgumentError("the file is no consistency proof");
  eventstore::transparency::Proof proof;
  for (text.remove_prefix(kFirstLine.size()); !text.empty();) {
    const size_t line = proof.size() + 2;
    const size_t end = text.find('\n');
    std::string bytes;
    const bool is_hash = end != std::string_view::npos &&
                         eventstore::transparency::FromBase64(text.substr(0, end), bytes) &&
                         HashFrom(bytes, proof.emplace_back());
    if (!is_hash) return absl::InvalidArgumentError(fmt::format("line {} is no hash", line));
    text.remove_prefix(end + 1);
  }
  return proof;
}

}  // namespace qinglan
