// What shows that a person's key was destroyed: a note signed with the log's key, checked with its public
// half alone.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "eventstore/transparency/key.h"

namespace qinglan::privacy {

// Makes a signed note of a text whose last byte is a line end.
using Sign = std::function<std::string(std::string_view text)>;

// Names nobody: an id, and the digest by which a copy of the key that turned up could be told.
struct Receipt {
  std::string subject;  // "teacher:<id>"
  std::string erasure_id;
  uint64_t position = 0;         // of the erasure in the log
  std::string recorded_at;       // "2026-11-25T10:00:00.000000Z"
  std::string key_destroyed_at;  // the same
  uint32_t key_versions = 0;     // 0: nothing had ever been sealed for the subject
  std::string key_digest;        // BLAKE2b-256 of all versions of the key, 64 hexadecimal digits
  std::string installation_id;   // of the keys

  bool operator==(const Receipt&) const = default;
};

// The text that is signed: one line a field, specified in eventstore/privacy/README.md. Cannot be taken for
// a checkpoint or a portfolio's statement, whose first lines differ.
std::string ReceiptText(const Receipt& receipt);

// Whether the text is meant to be a receipt's note.
bool LooksLikeReceipt(std::string_view note);

// What the key signed. INVALID_ARGUMENT when it is no receipt as ReceiptText() writes it; OpenNote()'s
// errors.
[[nodiscard]] absl::StatusOr<Receipt> OpenReceipt(std::string_view note,
                                                  const eventstore::transparency::VerifierKey& key);

}  // namespace qinglan::privacy
