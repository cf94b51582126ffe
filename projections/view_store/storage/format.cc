#include "projections/view_store/storage/format.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/text.h"

namespace qinglan::projections {
namespace {

constexpr char kRowPrefix = 'r';
constexpr char kCheckpointFormat = 1;
constexpr size_t kCheckpointHeadBytes = 1 + 8 + 8;

void AppendBigEndian(uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xff));
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// Takes ".<letter><number>" off the end of `text`.
std::optional<uint32_t> TakeNumber(char letter, std::string_view& text) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot + 2 >= text.size() || text[dot + 1] != letter) return std::nullopt;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(Absl(text.substr(dot + 2)), &number)) return std::nullopt;
  text = text.substr(0, dot);
  return number;
}

}  // namespace

std::string ViewId::ToString() const {
  if (generation == 1) return fmt::format("{}.v{}", name, version);
  return fmt::format("{}.v{}.g{}", name, version, generation);
}

std::optional<ViewId> ViewId::Parse(std::string_view text) {
  std::string_view rest = text;
  const uint32_t generation = TakeNumber('g', rest).value_or(1);
  const std::optional<uint32_t> version = TakeNumber('v', rest);
  if (!version.has_value() || !IsViewName(rest)) return std::nullopt;
  ViewId id{std::string(rest), *version, generation};
  if (id.ToString() != text) return std::nullopt;
  return id;
}

std::string PiecesName(const ViewId& view) { return view.ToString().insert(view.name.size(), kPiecesSuffix); }

std::optional<ViewId> ParsePiecesName(std::string_view text) {
  const size_t end_of_name = std::min(text.find('.'), text.size());
  const std::string_view name = text.substr(0, end_of_name);
  if (!name.ends_with(kPiecesSuffix)) return std::nullopt;
  const std::string_view view = name.substr(0, name.size() - std::string_view(kPiecesSuffix).size());
  return ViewId::Parse(std::string(view).append(text.substr(end_of_name)));
}

std::string RowKey(std::string_view key) {
  std::string stored(1, kRowPrefix);
  stored += key;
  return stored;
}

std::string EndOfPrefix(std::string prefix) {
  while (static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();  // ends at the row prefix
  ++prefix.back();
  return prefix;
}

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string bytes(1, kCheckpointFormat);
  AppendBigEndian(checkpoint.position.value, bytes);
  AppendBigEndian(checkpoint.last_applied.value, bytes);
  return bytes + checkpoint.last_event_id;
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(std::string_view bytes) {
  if (bytes.size() < kCheckpointHeadBytes || bytes[0] != kCheckpointFormat) {
    return absl::DataLossError("views: a checkpoint is not in the form that it is written in");
  }
  return Checkpoint{eventstore::Position(ReadBigEndian(bytes.substr(1))),
                    eventstore::Position(ReadBigEndian(bytes.substr(9))),
                    std::string(bytes.substr(kCheckpointHeadBytes))};
}

bool IsViewName(std::string_view name) {
  return !name.empty() && !name.ends_with(kPiecesSuffix) && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace qinglan::projections
