#include "eventstore/transparency/checkpoint.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr size_t kLinesMin = 3;

absl::Status Broken(size_t line, std::string_view rule) {
  return absl::InvalidArgumentError(fmt::format("checkpoint, line {}: {}", line, rule));
}

absl::StatusOr<std::vector<std::string_view>> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return Broken(lines.size() + 1, "does not end");
    if (end == 0) return Broken(lines.size() + 1, "is empty");
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() < kLinesMin)
    return Broken(lines.size() + 1, "is missing: origin, size and root are needed");
  return lines;
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  std::string text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.head.size,
                                 Base64(checkpoint.head.root.view()));
  for (const std::string& extension : checkpoint.extensions) text += extension + "\n";
  return text;
}

absl::StatusOr<Checkpoint> ParseCheckpointText(std::string_view text) {
  QL_ASSIGN_OR_RETURN(const std::vector<std::string_view> lines, LinesOf(text));
  Checkpoint checkpoint;
  checkpoint.origin = std::string(lines[0]);
  const bool number = absl::SimpleAtoi(Absl(lines[1]), &checkpoint.head.size) &&
                      std::to_string(checkpoint.head.size) == lines[1];
  if (!number) return Broken(2, "the tree's size is a decimal number below 2^64 without leading zeroes");
  std::string root;
  if (!FromBase64(lines[2], root) || !HashFrom(root, checkpoint.head.root)) {
    return Broken(3, "the root is 32 bytes in base64");
  }
  for (size_t i = kLinesMin; i < lines.size(); ++i) checkpoint.extensions.emplace_back(lines[i]);
  return checkpoint;
}

std::string SignCheckpoint(const TreeHead& head, const SigningKey& key) {
  return key.Sign(CheckpointText({key.verifier().name(), head, {}}));
}

absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note, const VerifierKey& key) {
  QL_ASSIGN_OR_RETURN(const std::string text, OpenNote(note, key));
  QL_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpointText(text));
  if (checkpoint.origin != key.name()) {
    return absl::InvalidArgumentError(
        fmt::format("the checkpoint is of the log {}, not of {}", checkpoint.origin, key.name()));
  }
  return checkpoint;
}

}  // namespace qinglan::eventstore::transparency
