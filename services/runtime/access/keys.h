// ES256 keys: the public ones as a JSON Web Key Set (RFC 7517), the private one as PEM.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

namespace qinglan::runtime {

// Public keys by their id, each as PEM.
using PublicKeys = std::map<std::string, std::string, std::less<>>;

// The P-256 keys of a key set; others in it are passed over. INVALID_ARGUMENT when it is no key set, holds no
// usable key, or a key is not a point of the curve.
absl::StatusOr<PublicKeys> ParseKeySet(std::string_view jwks_json);

struct KeyPair {
  std::string key_id;
  std::string private_pem;
  std::string jwks_json;  // a key set with just the public half
};

// A fresh pair. INTERNAL when the cryptography library fails.
absl::StatusOr<KeyPair> NewKeyPair();

// The id of the public key that belongs to a private one: the RFC 7638 thumbprint, so that files need not
// carry it. INVALID_ARGUMENT when the text is no P-256 private key in PEM.
absl::StatusOr<std::string> KeyIdOf(std::string_view private_pem);

}  // namespace qinglan::runtime
