#include "eventstore/privacy/sealed_text.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <limits>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::privacy {
namespace {

// SUBSTITUTE: stands for something else. The number is the format's.
constexpr std::string_view kStart = "\x1as";
constexpr std::string_view kWithoutOrigin = "s1";
constexpr std::string_view kWithOrigin = "s2";
constexpr size_t kFormatBytes = 2;
constexpr size_t kOriginBytes = 16;
constexpr std::string_view kKeyOfText = "qinglan seal 1";
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr int kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), Bytes(bytes), bytes.size(), kBase64);
  text.pop_back();  // the zero at its end
  return text;
}

std::string FromBase64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  const bool decoded = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                         text.data(), text.size(), nullptr, &size, nullptr, kBase64) == 0;
  bytes.resize(decoded ? size : 0);
  return bytes;
}

std::string_view FormatOf(const Origin& origin) {
  return origin.digest.empty() ? kWithoutOrigin : kWithOrigin;
}

// What the envelope says in clear.
std::string Outside(uint32_t version, Place place, const Origin& origin) {
  std::string out;
  rocks::AppendVarint(out, version);
  rocks::AppendFixed64(out, place.value);
  out += origin.digest;
  return out;
}

std::string Associated(std::string_view subject, const Origin& origin, std::string_view outside) {
  return fmt::format("{} {} {}", FormatOf(origin), subject, outside);
}

// By a table: every letter of every sealed text of a log is asked about.
constexpr std::array<bool, 256> kBase64Letters = [] {
  std::array<bool, 256> letters{};
  for (int c = 'A'; c <= 'Z'; ++c) letters[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) letters[static_cast<size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) letters[static_cast<size_t>(c)] = true;
  letters['-'] = letters['_'] = true;
  return letters;
}();

bool IsBase64(std::string_view text) {
  bool all = true;
  for (const char c : text) all = all && kBase64Letters[static_cast<unsigned char>(c)];
  return all;
}

// Of a text that begins as a sealed one and is one to its end; the rest of its envelope is not looked at.
std::optional<UnderKey> KeyOf(std::string_view text) {
  constexpr size_t kEnvelopeBytesMin = 1 + sizeof(Place) + kNonceBytes + kTagBytes;
  constexpr size_t kVersionLetters = 8;  // 6 bytes, one more than the longest version takes
  const std::string_view format = text.substr(1, kFormatBytes);
  const size_t space = text.find(' ', 1 + kFormatBytes + 1);
  if ((format != kWithoutOrigin && format != kWithOrigin) || text[1 + kFormatBytes] != ' ' ||
      space == std::string_view::npos)
    return std::nullopt;
  UnderKey under;
  under.subject = text.substr(1 + kFormatBytes + 1, space - (1 + kFormatBytes + 1));
  const std::string_view envelope = text.substr(space + 1);
  if (under.subject.empty() || envelope.size() * 3 / 4 < kEnvelopeBytesMin || !IsBase64(envelope))
    return std::nullopt;
  const std::string head = FromBase64(envelope.substr(0, kVersionLetters));
  rocks::Decoder decoder(head);
  const uint64_t version = decoder.Varint();
  if (!decoder.ok() || version == 0 || version > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  under.version = static_cast<uint32_t>(version);
  return under;
}

// What stands at `at` of the bytes, when the `size_bytes` before it are its length; else nothing.
std::string_view BehindItsLength(std::string_view bytes, size_t at, size_t size_bytes) {
  constexpr size_t kShortest = 1 + kFormatBytes + 1;
  if (at < size_bytes) return {};
  rocks::Decoder decoder(bytes.substr(at - size_bytes, size_bytes));
  const uint64_t size = decoder.Varint();
  if (!decoder.ok() || !decoder.rest().empty() || size <= kShortest || size > bytes.size() - at) return {};
  return bytes.substr(at, size);
}

absl::Status Changed(std::string_view subject) {
  return absl::DataLossError(
      fmt::format("a sealed text of {} was changed, or is under another key", subject));
}

}  // namespace

Place Place::Of(std::string_view type, std::string_view field_path) {
  const std::string digest = Digest(fmt::format("{}/{}", type, field_path));
  return Place{rocks::Decoder(digest).Fixed64()};
}

Origin Origin::Of(std::string_view event_id) { return Origin{Digest(event_id).substr(0, kOriginBytes)}; }

bool IsSealed(std::string_view text) { return text.starts_with(kStart); }
bool MayHoldSealed(std::string_view bytes) { return bytes.find(kStart) != std::string_view::npos; }

void ForEachSealed(std::string_view bytes, absl::FunctionRef<void(const UnderKey&)> visit) {
  constexpr size_t kSizeBytesMax = 4;
  for (size_t at = bytes.find(kStart); at != std::string_view::npos; at = bytes.find(kStart, at + 1)) {
    for (size_t size_bytes = 1; size_bytes <= kSizeBytesMax; ++size_bytes) {
      const std::string_view text = BehindItsLength(bytes, at, size_bytes);
      const std::optional<UnderKey> under = text.empty() ? std::nullopt : KeyOf(text);
      if (!under.has_value()) continue;
      visit(*under);
      break;
    }
  }
}

std::string Seal(const Secret& key, const Binding& binding, std::string_view clear) {
  QL_CHECK(binding.subject.find_first_of(" \x1a") == std::string_view::npos, "a subject has no space");
  QL_CHECK(binding.origin.digest.empty() || binding.origin.digest.size() == kOriginBytes, "a digest is one");
  std::string envelope = Outside(binding.key_version, binding.place, binding.origin);
  const std::string associated = Associated(binding.subject, binding.origin, envelope);
  std::string nonce(kNonceBytes, '\0');
  randombytes_buf(nonce.data(), nonce.size());
  const Secret key_of_text = key.Derive(fmt::format("{}{}", kKeyOfText, nonce));
  std::string box(clear.size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(box.data()), nullptr,
                                             Bytes(clear), clear.size(), Bytes(associated), associated.size(),
                                             nullptr, Bytes(nonce), key_of_text.data());
  envelope += nonce;
  envelope += box;
  return fmt::format("\x1a{} {} {}", FormatOf(binding.origin), binding.subject, Base64(envelope));
}

absl::StatusOr<SealedText> TakeApart(std::string_view text) {
  if (!IsSealed(text)) return absl::DataLossError("no sealed text");
  text.remove_prefix(1);
  const std::string_view format = text.substr(0, kFormatBytes);
  if ((format != kWithoutOrigin && format != kWithOrigin) || text.substr(kFormatBytes, 1) != " ")
    return absl::DataLossError("a sealed text of a format that is not known here");
  text.remove_prefix(kFormatBytes + 1);
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || space == 0)
    return absl::DataLossError("a sealed text without a subject");
  SealedText sealed;
  sealed.subject = std::string(text.substr(0, space));
  const std::string envelope = FromBase64(text.substr(space + 1));
  rocks::Decoder decoder(envelope);
  const uint64_t version = decoder.Varint();
  sealed.place = Place{decoder.Fixed64()};
  if (format == kWithOrigin) sealed.origin.digest = std::string(decoder.Bytes(kOriginBytes));
  sealed.nonce = std::string(decoder.Bytes(kNonceBytes));
  sealed.box = std::string(decoder.rest());
  if (!decoder.ok() || version == 0 || version > std::numeric_limits<uint32_t>::max() ||
      sealed.box.size() < kTagBytes)
    return Changed(sealed.subject);
  sealed.key_version = static_cast<uint32_t>(version);
  return sealed;
}

Secret KeyOfText(const Secret& key, const SealedText& sealed) {
  return key.Derive(fmt::format("{}{}", kKeyOfText, sealed.nonce));
}

absl::StatusOr<std::string> OpenWithKeyOfText(const Secret& key_of_text, const SealedText& sealed) {
  const std::string associated =
      Associated(sealed.subject, sealed.origin, Outside(sealed.key_version, sealed.place, sealed.origin));
  std::string clear(sealed.box.size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(clear.data()), nullptr,
                                                 nullptr, Bytes(sealed.box), sealed.box.size(),
                                                 Bytes(associated), associated.size(), Bytes(sealed.nonce),
                                                 key_of_text.data()) != 0) {
    return Changed(sealed.subject);
  }
  return clear;
}

absl::StatusOr<std::string> Open(const Secret& key, const SealedText& sealed) {
  return OpenWithKeyOfText(KeyOfText(key, sealed), sealed);
}

}  // namespace qinglan::eventstore::privacy
