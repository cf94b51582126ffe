// Signed notes (c2sp.org/signed-note): a text, a blank line, and a line for each signature of it.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::eventstore::transparency {

// Limits of a note that is read; what breaks one is INVALID_ARGUMENT.
inline constexpr size_t kNoteBytesMax = 64 * 1024;
inline constexpr size_t kNoteSignaturesMax = 64;
inline constexpr size_t kKeyNameBytesMax = 200;

struct NoteSignature {
  std::string key_name;
  uint32_t key_id = 0;  // a hint which key of that name; not a secure hash
  std::string signature;

  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  // its last byte is a line end
  std::vector<NoteSignature> signatures;
};

// Says nothing of who signed. INVALID_ARGUMENT names the line and the rule that it breaks.
[[nodiscard]] absl::StatusOr<Note> ParseNote(std::string_view note);
std::string FormatNote(const Note& note);

// INVALID_ARGUMENT unless it may be a key's name: not empty, no space, no plus, no control character, UTF-8.
[[nodiscard]] absl::Status CheckKeyName(std::string_view name);

// Base 64 as RFC 4648 has it, and only as an encoder writes it: one text for one value. False for any other.
std::string Base64(std::string_view bytes);
[[nodiscard]] bool FromBase64(std::string_view text, std::string& bytes);

}  // namespace qinglan::eventstore::transparency
