#include "services/runtime/access/keys.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::runtime {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free>;
using Bio = std::unique_ptr<BIO, Free>;

constexpr size_t kCoordinateBytes = 32;

std::string Base64Url(std::string_view bytes) {
  std::string text;
  absl::WebSafeBase64Escape(Absl(bytes), &text);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string ReadAll(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<std::string> PublicPem(std::string_view point) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  char group[] = "P-256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<char*>(point.data()),
                                        point.size()),
      OSSL_PARAM_construct_end(),
  };
  EVP_PKEY* raw = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return absl::InvalidArgumentError("a key of the key set is not a point of P-256");
  }
  const Key key(raw);
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), key.get()) != 1)
    return absl::InternalError("a public key cannot be written as PEM");
  return ReadAll(bio.get());
}

struct Coordinates {
  std::string x;
  std::string y;
};

absl::StatusOr<Coordinates> CoordinatesOf(EVP_PKEY* key) {
  std::string point(200, '\0');
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
                                      reinterpret_cast<unsigned char*>(point.data()), point.size(),
                                      &size) != 1 ||
      size != 1 + 2 * kCoordinateBytes || point[0] != 4) {
    return absl::InvalidArgumentError("the key is not an uncompressed point of P-256");
  }
  return Coordinates{Base64Url(point.substr(1, kCoordinateBytes)),
                     Base64Url(point.substr(1 + kCoordinateBytes, kCoordinateBytes))};
}

std::string Thumbprint(const Coordinates& coordinates) {
  const std::string canonical =
      fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", coordinates.x, coordinates.y);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(canonical.data()), canonical.size(), digest);
  return Base64Url({reinterpret_cast<const char*>(digest), sizeof(digest)});
}

}  // namespace

absl::StatusOr<PublicKeys> ParseKeySet(std::string_view jwks_json) {
  const auto set = nlohmann::json::parse(jwks_json, nullptr, false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return absl::InvalidArgumentError("the key set is no JSON object with a list \"keys\"");
  }
  PublicKeys keys;
  for (const auto& key : set["keys"]) {
    if (!key.is_object() || key.value("kty", "") != "EC" || key.value("crv", "") != "P-256") continue;
    std::string x;
    std::string y;
    if (!absl::WebSafeBase64Unescape(key.value("x", ""), &x) ||
        !absl::WebSafeBase64Unescape(key.value("y", ""), &y) || x.size() != kCoordinateBytes ||
        y.size() != kCoordinateBytes) {
      return absl::InvalidArgumentError("a key of the key set has no proper x and y");
    }
    QL_ASSIGN_OR_RETURN(std::string pem, PublicPem('\4' + x + y));
    keys.emplace(key.value("kid", Thumbprint({Base64Url(x), Base64Url(y)})), std::move(pem));
  }
  if (keys.empty()) return absl::InvalidArgumentError("the key set holds no P-256 key");
  return keys;
}

absl::StatusOr<KeyPair> NewKeyPair() {
  const Key key(EVP_EC_gen("P-256"));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (key == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return absl::InternalError("no key pair could be made");
  }
  QL_ASSIGN_OR_RETURN(const Coordinates coordinates, CoordinatesOf(key.get()));
  const std::string key_id = Thumbprint(coordinates);
  const nlohmann::json jwks = {{"keys",
                                {{{"kty", "EC"},
                                  {"crv", "P-256"},
                                  {"alg", "ES256"},
                                  {"use", "sig"},
                                  {"kid", key_id},
                                  {"x", coordinates.x},
                                  {"y", coordinates.y}}}}};
  return KeyPair{key_id, ReadAll(bio.get()), jwks.dump(2) + "\n"};
}

absl::StatusOr<std::string> KeyIdOf(std::string_view private_pem) {
  const Bio bio(BIO_new_mem_buf(private_pem.data(), static_cast<int>(private_pem.size())));
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return absl::InvalidArgumentError("the key file holds no private key in PEM");
  QL_ASSIGN_OR_RETURN(const Coordinates coordinates, CoordinatesOf(key.get()));
  return Thumbprint(coordinates);
}

}  // namespace qinglan::runtime
