#include "eventstore/privacy/master_key.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::eventstore::privacy {
namespace {

constexpr std::string_view kLineStart = "qinglan-master-1 ";
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kWrappedBytes = kNonceBytes + kSecretBytes + kTagBytes;
static_assert(kNonceBytes == 24 && kTagBytes == 16, "README.md promises these");

std::string IdOf(const Secret& key) {
  return Hexadecimal(Digest("qinglan master key" + std::string(key.view())).substr(0, 8));
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::StatusOr<Secret> DecodeKey(std::string_view base64) {
  std::string bytes(kSecretBytes, '\0');
  size_t size = 0;
  const bool decoded =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), base64.data(),
                        base64.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
  if (!decoded || size != kSecretBytes) return absl::InvalidArgumentError("no base64 of 32 bytes");
  Secret key = Secret::Of(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

absl::Status LineError(int line, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("master key, line {}: {}", line, what));
}

}  // namespace

absl::StatusOr<std::shared_ptr<MasterKeyRing>> MasterKeyRing::Parse(std::string_view text) {
  std::vector<Version> versions;
  int number = 0;
  while (!text.empty()) {
    ++number;
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with(kLineStart)) return LineError(number, "must begin with \"qinglan-master-1 \"");
    line.remove_prefix(kLineStart.size());
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return LineError(number, "an id and a key are expected");
    const auto key = DecodeKey(line.substr(space + 1));
    if (!key.ok()) return LineError(number, "the key is not the base64 of 32 bytes");
    const std::string id = IdOf(*key);
    if (id != line.substr(0, space))
      return LineError(number, fmt::format("the key does not belong to its id ({} would)", id));
    versions.push_back({id, *key});
  }
  if (versions.empty()) return absl::InvalidArgumentError("master key: there is no key in it");
  return std::shared_ptr<MasterKeyRing>(new MasterKeyRing(std::move(versions)));
}

absl::StatusOr<std::shared_ptr<MasterKeyRing>> MasterKeyRing::FromFile(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0)
    return absl::NotFoundError(fmt::format("{}: there is no such file", path));
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: a master key must belong to whoever runs this, or to root (chown)", path));
  }
  if ((status.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: a master key must be readable by its owner only (chmod 600)", path));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{}: cannot be read", path));
  auto ring = Parse(text.str());
  if (!ring.ok())
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(ring.status().message())));
  return ring;
}

std::string MasterKeyRing::NewLine() {
  const Secret key = Secret::Random();
  char base64[sodium_base64_ENCODED_LEN(kSecretBytes, sodium_base64_VARIANT_ORIGINAL)];
  sodium_bin2base64(base64, sizeof(base64), key.data(), kSecretBytes, sodium_base64_VARIANT_ORIGINAL);
  std::string line = fmt::format("{}{} {}\n", kLineStart, IdOf(key), base64);
  sodium_memzero(base64, sizeof(base64));
  return line;
}

const Secret* MasterKeyRing::Find(std::string_view id) const {
  for (const Version& version : versions_) {
    if (version.id == id) return &version.key;
  }
  return nullptr;
}

absl::StatusOr<std::string> MasterKeyRing::Wrap(const Secret& key, std::string_view bound_to) const {
  std::string wrapped(kWrappedBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(wrapped.data());
  randombytes_buf(out, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonceBytes, nullptr, key.data(), kSecretBytes,
                                             Bytes(bound_to), bound_to.size(), nullptr, out,
                                             versions_.back().key.data());
  return wrapped;
}

absl::StatusOr<Secret> MasterKeyRing::Unwrap(std::string_view id, std::string_view wrapped,
                                             std::string_view bound_to) const {
  const Secret* master = Find(id);
  if (master == nullptr)
    return absl::FailedPreconditionError(fmt::format("the master key {} is not here", id));
  std::string bytes(kSecretBytes, '\0');
  if (wrapped.size() != kWrappedBytes ||
      crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(bytes.data()), nullptr, nullptr, Bytes(wrapped) + kNonceBytes,
          kSecretBytes + kTagBytes, Bytes(bound_to), bound_to.size(), Bytes(wrapped), master->data()) != 0) {
    return absl::DataLossError(fmt::format("the wrapped key of {} was changed", bound_to));
  }
  Secret key = Secret::Of(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

}  // namespace qinglan::eventstore::privacy
