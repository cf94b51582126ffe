// The keys of signed notes: Ed25519, written as c2sp.org/signed-note's implementations write them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "eventstore/transparency/note.h"

struct evp_pkey_st;

namespace qinglan::eventstore::transparency {

// Who a note is from: a name, an id that follows from name and key, and the public key. Immutable, cheap to
// copy, thread-safe.
class VerifierKey {
 public:
  // From "<name>+<8 hexadecimal digits>+<base64 of 0x01 and 32 bytes>". INVALID_ARGUMENT names what is wrong.
  [[nodiscard]] static absl::StatusOr<VerifierKey> Parse(std::string_view text);

  std::string Text() const;
  const std::string& name() const { return name_; }
  uint32_t id() const { return id_; }

  // Whether the signature of the text is by this key.
  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  friend class SigningKey;
  VerifierKey() = default;
  static absl::StatusOr<VerifierKey> From(std::string_view name, std::string_view public_bytes);

  std::string name_;
  uint32_t id_ = 0;
  std::string public_bytes_;
  std::shared_ptr<evp_pkey_st> key_;
};

// The private half. Immutable, thread-safe; the secret is in OpenSSL's key and in Text() alone.
class SigningKey {
 public:
  // A new key. INVALID_ARGUMENT for a name that is none, UNAVAILABLE without randomness.
  [[nodiscard]] static absl::StatusOr<SigningKey> Generate(std::string_view name);
  // From "PRIVATE+KEY+<name>+<8 hexadecimal digits>+<base64 of 0x01 and the 32-byte seed>". INVALID_ARGUMENT;
  // the message never repeats the text.
  [[nodiscard]] static absl::StatusOr<SigningKey> Parse(std::string_view text);

  // The secret, as Parse() takes it.
  std::string Text() const;
  const VerifierKey& verifier() const { return verifier_; }

  // The note of a text, whose last byte is a line end, with this one signature.
  std::string Sign(std::string_view text) const;

 private:
  SigningKey() = default;
  static absl::StatusOr<SigningKey> From(std::string_view name, std::string_view seed);

  VerifierKey verifier_;
  std::shared_ptr<evp_pkey_st> key_;
};

// The note's text, once it is sure that the key signed it. INVALID_ARGUMENT when it is no note,
// PERMISSION_DENIED when the key has not signed it or a signature that bears its name and id is not its own.
[[nodiscard]] absl::StatusOr<std::string> OpenNote(std::string_view note, const VerifierKey& key);

}  // namespace qinglan::eventstore::transparency
