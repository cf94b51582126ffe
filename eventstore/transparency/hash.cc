#include "eventstore/transparency/hash.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::transparency {

bool HashFrom(std::string_view bytes, Hash& hash) {
  if (bytes.size() != kHashBytes) return false;
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return true;
}

std::string Hex(const Hash& hash) { return absl::BytesToHexString(Absl(hash.view())); }

// The algorithm is fetched once: a look-up in OpenSSL 3 costs more than hashing an event.
struct Hasher::Context {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();

  Context() { QL_CHECK(algorithm != nullptr && digest != nullptr, "OpenSSL has SHA-256"); }
  ~Context() {
    EVP_MD_CTX_free(digest);
    EVP_MD_free(algorithm);
  }

  void Begin() {
    QL_CHECK(EVP_DigestInit_ex2(digest, algorithm, nullptr) == 1, "SHA-256 takes no parameter");
  }
  void Add(std::string_view bytes) {
    QL_CHECK(EVP_DigestUpdate(digest, bytes.data(), bytes.size()) == 1,
             "hashing bytes in memory cannot fail");
  }
  Hash End() {
    Hash hash;
    QL_CHECK(EVP_DigestFinal_ex(digest, reinterpret_cast<unsigned char*>(hash.bytes.data()), nullptr) == 1,
             "hashing bytes in memory cannot fail");
    return hash;
  }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {}
Hasher::~Hasher() = default;

Hash Hasher::Leaf(std::string_view leaf) {
  context_->Begin();
  context_->Add({&kLeafPrefix, 1});
  context_->Add(leaf);
  return context_->End();
}

Hash Hasher::Node(const Hash& left, const Hash& right) {
  std::array<char, 1 + 2 * kHashBytes> bytes;
  bytes[0] = kNodePrefix;
  std::memcpy(&bytes[1], left.bytes.data(), kHashBytes);
  std::memcpy(&bytes[1 + kHashBytes], right.bytes.data(), kHashBytes);
  return Plain({bytes.data(), bytes.size()});
}

Hash Hasher::Empty() { return Plain({}); }

Hash Hasher::Plain(std::string_view bytes) {
  context_->Begin();
  context_->Add(bytes);
  return context_->End();
}

}  // namespace qinglan::eventstore::transparency
