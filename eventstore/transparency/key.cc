#include "eventstore/transparency/key.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/transparency/hash.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr char kEd25519 = 1;  // the signature type's byte in key ids and key texts
constexpr size_t kKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;
constexpr std::string_view kPrivateMark = "PRIVATE+KEY+";

std::shared_ptr<EVP_PKEY> Share(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

uint32_t IdOf(std::string_view name, std::string_view public_bytes) {
  const std::string hashed = fmt::format("{}\n{}{}", name, kEd25519, public_bytes);
  const Hash hash = Hasher().Plain(hashed);
  uint32_t id = 0;
  for (size_t i = 0; i < 4; ++i) id = id << 8 | static_cast<uint8_t>(hash.bytes[i]);
  return id;
}

// "<name>+<id>+<base64>", its parts named in errors and never repeated: one of them may be secret.
struct KeyText {
  std::string_view name;
  std::string_view id;
  std::string bytes;  // without the type's byte
};

absl::StatusOr<KeyText> ParseKeyText(std::string_view text) {
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return absl::InvalidArgumentError("the key is not of the form name+id+base64");
  }
  KeyText parsed{text.substr(0, first), text.substr(first + 1, second - first - 1), {}};
  QL_RETURN_IF_ERROR(CheckKeyName(parsed.name));
  if (!FromBase64(text.substr(second + 1), parsed.bytes)) {
    return absl::InvalidArgumentError("the key's last part is not base64");
  }
  if (parsed.bytes.empty() || parsed.bytes[0] != kEd25519) {
    return absl::InvalidArgumentError("the key is not an Ed25519 key (type 1)");
  }
  parsed.bytes.erase(0, 1);
  if (parsed.bytes.size() != kKeyBytes) {
    return absl::InvalidArgumentError(fmt::format("the key has {} bytes, not 32", parsed.bytes.size()));
  }
  return parsed;
}

absl::Status CheckId(const KeyText& text, const VerifierKey& key) {
  if (text.id == fmt::format("{:08x}", key.id())) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the key's id does not fit its name and bytes: they make {:08x}", key.id()));
}

}  // namespace

absl::StatusOr<VerifierKey> VerifierKey::From(std::string_view name, std::string_view public_bytes) {
  QL_RETURN_IF_ERROR(CheckKeyName(name));
  VerifierKey key;
  key.name_ = std::string(name);
  key.public_bytes_ = std::string(public_bytes);
  key.id_ = IdOf(name, public_bytes);
  key.key_ =
      Share(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_bytes), public_bytes.size()));
  if (key.key_ == nullptr) return absl::InvalidArgumentError("the key is no Ed25519 public key");
  return key;
}

absl::StatusOr<VerifierKey> VerifierKey::Parse(std::string_view text) {
  QL_ASSIGN_OR_RETURN(const KeyText parsed, ParseKeyText(text));
  QL_ASSIGN_OR_RETURN(VerifierKey key, From(parsed.name, parsed.bytes));
  QL_RETURN_IF_ERROR(CheckId(parsed, key));
  return key;
}

std::string VerifierKey::Text() const {
  return fmt::format("{}+{:08x}+{}", name_, id_, Base64(kEd25519 + public_bytes_));
}

bool VerifierKey::Verifies(std::string_view text, std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  QL_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1,
           "OpenSSL verifies Ed25519");
  return signature.size() == kSignatureBytes &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text), text.size()) == 1;
}

absl::StatusOr<SigningKey> SigningKey::From(std::string_view name, std::string_view seed) {
  SigningKey key;
  key.key_ = Share(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(seed), seed.size()));
  std::string public_bytes(kKeyBytes, '\0');
  size_t size = public_bytes.size();
  const bool derived = key.key_ != nullptr &&
                       EVP_PKEY_get_raw_public_key(
                           key.key_.get(), reinterpret_cast<unsigned char*>(public_bytes.data()), &size) == 1;
  if (!derived) return absl::InvalidArgumentError("the key is no Ed25519 private key");
  QL_ASSIGN_OR_RETURN(key.verifier_, VerifierKey::From(name, public_bytes));
  return key;
}

absl::StatusOr<SigningKey> SigningKey::Generate(std::string_view name) {
  QL_RETURN_IF_ERROR(CheckKeyName(name));
  const auto generated = Share(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::array<char, kKeyBytes> seed{};
  size_t size = seed.size();
  if (generated == nullptr ||
      EVP_PKEY_get_raw_private_key(generated.get(), reinterpret_cast<unsigned char*>(seed.data()), &size) !=
          1) {
    return absl::UnavailableError("no randomness for a key");
  }
  auto key = From(name, {seed.data(), seed.size()});
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

absl::StatusOr<SigningKey> SigningKey::Parse(std::string_view text) {
  if (!text.starts_with(kPrivateMark)) {
    return absl::InvalidArgumentError("a private key begins with PRIVATE+KEY+");
  }
  QL_ASSIGN_OR_RETURN(const KeyText parsed, ParseKeyText(text.substr(kPrivateMark.size())));
  QL_ASSIGN_OR_RETURN(SigningKey key, From(parsed.name, parsed.bytes));
  QL_RETURN_IF_ERROR(CheckId(parsed, key.verifier_));
  return key;
}

std::string SigningKey::Text() const {
  std::string bytes(1 + kKeyBytes, kEd25519);
  size_t size = kKeyBytes;
  QL_CHECK(EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()) + 1,
                                        &size) == 1,
           "a private key has its seed");
  return fmt::format("{}{}+{:08x}+{}", kPrivateMark, verifier_.name(), verifier_.id(), Base64(bytes));
}

std::string SigningKey::Sign(std::string_view text) const {
  QL_CHECK(text.ends_with('\n'), "a note's text is made of whole lines");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  QL_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
               EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                              Bytes(text), text.size()) == 1,
           "OpenSSL signs with Ed25519");
  return FormatNote({std::string(text), {{verifier_.name(), verifier_.id(), signature}}});
}

absl::StatusOr<std::string> OpenNote(std::string_view note, const VerifierKey& key) {
  QL_ASSIGN_OR_RETURN(Note parsed, ParseNote(note));
  bool signed_by_key = false;
  for (const NoteSignature& signature : parsed.signatures) {
    if (signature.key_name != key.name() || signature.key_id != key.id()) continue;
    if (!key.Verifies(parsed.text, signature.signature)) {
      return absl::PermissionDeniedError(fmt::format("the note's signature is not by {}", key.Text()));
    }
    signed_by_key = true;
  }
  if (!signed_by_key)
    return absl::PermissionDeniedError(fmt::format("{} has not signed the note", key.Text()));
  return std::move(parsed.text);
}

}  // namespace qinglan::eventstore::transparency
