#include "eventstore/privacy/secret.h"

#include <sodium.h>

#include <algorithm>

#include "eventstore/check.h"

namespace qinglan::eventstore::privacy {
namespace {

// libsodium picks its fastest code and opens its source of randomness once.
void Initialise() {
  static const int initialised = sodium_init();
  QL_CHECK(initialised >= 0, "libsodium starts");
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Secret Secret::Random() {
  Initialise();
  Secret secret;
  randombytes_buf(secret.bytes_.data(), secret.bytes_.size());
  return secret;
}

Secret Secret::Of(std::string_view bytes) {
  Initialise();
  QL_CHECK(bytes.size() == kSecretBytes, "a secret has 32 bytes");
  Secret secret;
  std::copy(bytes.begin(), bytes.end(), secret.bytes_.begin());
  return secret;
}

Secret Secret::Derive(std::string_view text) const {
  Secret derived;
  crypto_generichash(derived.bytes_.data(), derived.bytes_.size(), Bytes(text), text.size(), bytes_.data(),
                     bytes_.size());
  return derived;
}

Secret::~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string Digest(std::string_view text) {
  Initialise();
  std::string digest(kSecretBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(), Bytes(text), text.size(),
                     nullptr, 0);
  return digest;
}

std::string Hexadecimal(std::string_view bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), Bytes(bytes), bytes.size());
  text.pop_back();
  return text;
}

}  // namespace qinglan::eventstore::privacy
