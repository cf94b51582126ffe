// Text under a key, itself text (README.md has the bytes). Pure functions; thread-safe.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/privacy/secret.h"

namespace qinglan::eventstore::privacy {

// Where a text stands: "<event type>/<field path>" as a number.
struct Place {
  uint64_t value = 0;
  static Place Of(std::string_view type, std::string_view field_path);
  bool operator==(const Place&) const = default;
};

// The one event that a text was sealed for, as a digest of its id ("<commit id>#<index>"). Empty: a text of
// before texts told it.
struct Origin {
  std::string digest;
  static Origin Of(std::string_view event_id);
  bool operator==(const Origin&) const = default;
};

// What is bound to a sealed text, in clear.
struct Binding {
  std::string_view subject;  // no space and no control character
  uint32_t key_version = 0;
  Place place;
  Origin origin;
};

// A sealed text taken apart, not yet opened.
struct SealedText {
  std::string subject;
  uint32_t key_version = 0;
  Place place;
  Origin origin;
  std::string nonce;
  std::string box;  // ciphertext and tag

  // Whether it stands where it was sealed: in this field of this event.
  bool IsOf(Place here, std::string_view event_id) const {
    return place == here && (origin.digest.empty() || origin == Origin::Of(event_id));
  }
};

// Whether the text begins as a sealed one does. No user's text may.
bool IsSealed(std::string_view text);
// Whether a sealed text may be somewhere in these bytes; cheap.
bool MayHoldSealed(std::string_view bytes);

// Which key a sealed text is under.
struct UnderKey {
  std::string_view subject;
  uint32_t version = 0;
};

// Finds the sealed texts in the bytes of a message, whatever fields it has: each stands behind its length, as
// all texts of messages do, and is one from its first character to its last. Nothing is opened, and bytes
// that are no sealed text are passed over. Only a text that was made to look like one, of just the length at
// which its field reads as a sealed one's beginning, would be taken for one.
void ForEachSealed(std::string_view bytes, absl::FunctionRef<void(const UnderKey&)> visit);

std::string Seal(const Secret& key, const Binding& binding, std::string_view clear);

// DATA_LOSS when it is no sealed text as the grammar has it.
absl::StatusOr<SealedText> TakeApart(std::string_view text);

// DATA_LOSS when anything of the text was changed, or when the key is another.
absl::StatusOr<std::string> Open(const Secret& key, const SealedText& sealed);

// The key of this one text, which an auditor may be given: it opens no other.
Secret KeyOfText(const Secret& key, const SealedText& sealed);
absl::StatusOr<std::string> OpenWithKeyOfText(const Secret& key_of_text, const SealedText& sealed);

}  // namespace qinglan::eventstore::privacy
