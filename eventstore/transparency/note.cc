#include "eventstore/transparency/note.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr std::string_view kSignatureMark = "\xe2\x80\x94 ";  // an em dash and a space
constexpr size_t kKeyIdBytes = 4;

// Takes one character off the front; nothing when that is no UTF-8.
std::optional<char32_t> TakeCharacter(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t bytes = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes == 0 || first > 0xf4 || text.size() < bytes) return std::nullopt;
  char32_t character = bytes == 1 ? first : first & (0x7fU >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    character = character << 6 | (byte & 0x3fU);
  }
  const bool too_long = (bytes == 3 && character < 0x800) || (bytes == 4 && character < 0x10000);
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (too_long || surrogate || character > 0x10ffff) return std::nullopt;
  text.remove_prefix(bytes);
  return character;
}

bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

absl::Status Broken(size_t line, std::string_view rule) {
  return absl::InvalidArgumentError(fmt::format("note, line {}: {}", line, rule));
}

absl::Status CheckCharacters(std::string_view note) {
  size_t line = 1;
  while (!note.empty()) {
    const std::optional<char32_t> character = TakeCharacter(note);
    if (!character.has_value()) return Broken(line, "is not UTF-8");
    if (*character < 0x20 && *character != '\n') return Broken(line, "has a control character");
    if (*character == '\n') ++line;
  }
  return absl::OkStatus();
}

absl::StatusOr<NoteSignature> ParseSignature(std::string_view line, size_t number) {
  if (!line.starts_with(kSignatureMark)) return Broken(number, "a signature begins with \"— \"");
  line.remove_prefix(kSignatureMark.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos)
    return Broken(number, "a signature is a key's name, a space and base64");
  NoteSignature signature;
  signature.key_name = std::string(line.substr(0, space));
  if (!CheckKeyName(signature.key_name).ok()) return Broken(number, "the key's name is none");
  std::string bytes;
  if (!FromBase64(line.substr(space + 1), bytes)) return Broken(number, "the signature is not base64");
  if (bytes.size() <= kKeyIdBytes) return Broken(number, "the signature is too short to be one");
  for (size_t i = 0; i < kKeyIdBytes; ++i) {
    signature.key_id = signature.key_id << 8 | static_cast<uint8_t>(bytes[i]);
  }
  signature.signature = bytes.substr(kKeyIdBytes);
  return signature;
}

}  // namespace

absl::Status CheckKeyName(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameBytesMax) {
    return absl::InvalidArgumentError(fmt::format("a key's name has 1 to {} bytes", kKeyNameBytesMax));
  }
  while (!name.empty()) {
    const std::optional<char32_t> character = TakeCharacter(name);
    if (!character.has_value()) return absl::InvalidArgumentError("a key's name is UTF-8");
    if (*character < 0x20 || *character == '+' || IsSpace(*character)) {
      return absl::InvalidArgumentError("a key's name has no space, no plus and no control character");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Note> ParseNote(std::string_view note) {
  if (note.size() > kNoteBytesMax) {
    return absl::InvalidArgumentError(fmt::format("the note has more than {} bytes", kNoteBytesMax));
  }
  QL_RETURN_IF_ERROR(CheckCharacters(note));
  const size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) {
    return absl::InvalidArgumentError("the note has no blank line between its text and its signatures");
  }
  Note parsed;
  parsed.text = std::string(note.substr(0, blank + 1));
  auto line = static_cast<size_t>(
                  std::count(note.begin(), note.begin() + static_cast<std::ptrdiff_t>(blank) + 2, '\n')) +
              1;
  for (std::string_view rest = note.substr(blank + 2); !rest.empty(); ++line) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return Broken(line, "does not end");
    if (parsed.signatures.size() == kNoteSignaturesMax) return Broken(line, "one signature too many");
    QL_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignature(rest.substr(0, end), line));
    parsed.signatures.push_back(std::move(signature));
    rest.remove_prefix(end + 1);
  }
  if (parsed.signatures.empty()) return absl::InvalidArgumentError("the note has no signature");
  return parsed;
}

std::string FormatNote(const Note& note) {
  std::string formatted = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(signature.key_id >> shift));
    bytes += signature.signature;
    formatted += fmt::format("{}{} {}\n", kSignatureMark, signature.key_name, Base64(bytes));
  }
  return formatted;
}

std::string Base64(std::string_view bytes) { return absl::Base64Escape(Absl(bytes)); }

bool FromBase64(std::string_view text, std::string& bytes) {
  return absl::Base64Unescape(Absl(text), &bytes) && Base64(bytes) == text;
}

}  // namespace qinglan::eventstore::transparency
