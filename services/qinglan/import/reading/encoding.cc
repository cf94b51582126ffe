#include "services/qinglan/import/reading/encoding.h"

#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ucsdet.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "eventstore/check.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

// Of a text with this many good UTF-8 sequences to each bad one we say that it is UTF-8, broken; text of
// another encoding hits upon a good sequence only now and then.
constexpr size_t kGoodSequencesPerBadOne = 4;

constexpr std::string_view kOleMagic = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
constexpr std::string_view kZipMagic = "PK\x03\x04";
constexpr std::string_view kPdfMagic = "%PDF-";

struct Utf8Count {
  size_t good = 0;  // sequences of two bytes or more
  size_t bad = 0;
  int first_bad_line = 0;
};

Utf8Count CountUtf8(std::string_view text) {
  Utf8Count count;
  int line = 1;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceLength(text.substr(at));
    if (text[at] == '\n') ++line;
    if (length > 1) ++count.good;
    if (length == 0 && count.bad++ == 0) count.first_bad_line = line;
    at += std::max<size_t>(length, 1);
  }
  return count;
}

// Converts all of `bytes` or nothing: any malformed or unassigned sequence stops it.
absl::StatusOr<std::string> Convert(std::string_view bytes, const char* encoding, std::string_view reason) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(encoding, &error), &ucnv_close);
  QL_CHECK(U_SUCCESS(error), "ICU knows the encodings that we name");
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  std::vector<UChar> units(bytes.size() + 1);
  const int32_t length = ucnv_toUChars(converter.get(), units.data(), static_cast<int32_t>(units.size()),
                                       bytes.data(), static_cast<int32_t>(bytes.size()), &error);
  if (U_FAILURE(error)) return Invalid("", reason);
  std::string text;
  icu::UnicodeString(false, units.data(), length).toUTF8String(text);
  return text;
}

// GB 18030 gives almost every pair of bytes a meaning, so that it decodes is not enough: it must also look
// like Chinese at least as much as like any other encoding with pairs of bytes.
bool LooksLikeGb18030(std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&error), &ucsdet_close);
  if (U_FAILURE(error)) return false;
  ucsdet_setText(detector.get(), bytes.data(), static_cast<int32_t>(bytes.size()), &error);
  int32_t count = 0;
  const UCharsetMatch** matches = ucsdet_detectAll(detector.get(), &count, &error);
  if (U_FAILURE(error)) return false;
  int32_t ours = 0;
  int32_t others = 0;
  for (int32_t i = 0; i < count; ++i) {
    const std::string_view name = ucsdet_getName(matches[i], &error);
    const int32_t confidence = ucsdet_getConfidence(matches[i], &error);
    if (name == "GB18030") ours = confidence;
    if (name == "Big5" || name == "Shift_JIS" || name == "EUC-KR" || name == "EUC-JP")
      others = std::max(others, confidence);
  }
  return ours > 0 && ours >= others;
}

// Characters that no office types: the private use area and the C1 controls, where wrongly decoded text ends
// up.
bool HasStrangeCharacters(const std::string& utf8) {
  const icu::UnicodeString text = icu::UnicodeString::fromUTF8(utf8);
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if ((c >= 0x80 && c < 0xA0) || (c >= 0xE000 && c < 0xF900) || c == 0xFFFD) return true;
  }
  return false;
}

absl::StatusOr<Decoded> DecodeUtf8(std::string_view bytes) {
  const Utf8Count count = CountUtf8(bytes);
  if (count.bad == 0) return Decoded{std::string(bytes), "UTF-8"};
  return Invalid("", "FILE_UTF8_BROKEN", {{"line", fmt::to_string(count.first_bad_line)}});
}

absl::StatusOr<Decoded> DecodeUtf16(std::string_view bytes, bool little) {
  auto text = Convert(bytes, little ? "UTF-16LE" : "UTF-16BE", "FILE_UTF16_BROKEN");
  if (!text.ok()) return text.status();
  return Decoded{*std::move(text), little ? "UTF-16LE" : "UTF-16BE"};
}

}  // namespace

size_t Utf8SequenceLength(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond the last character.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

absl::StatusOr<Decoded> DecodeText(std::string_view bytes) {
  if (bytes.empty()) return Invalid("", "FILE_EMPTY");
  if (bytes.starts_with(kOleMagic)) return Invalid("", "FILE_OLD_EXCEL");
  if (bytes.starts_with(kZipMagic) || bytes.starts_with(kPdfMagic)) return Invalid("", "FILE_NOT_TEXT");
  if (bytes.starts_with("\xEF\xBB\xBF")) return DecodeUtf8(bytes.substr(3));
  if (bytes.starts_with("\xFF\xFE")) return DecodeUtf16(bytes.substr(2), true);
  if (bytes.starts_with("\xFE\xFF")) return DecodeUtf16(bytes.substr(2), false);
  // Two-byte text without its mark is full of zero bytes; one stray zero byte is that cell's fault alone.
  if (static_cast<size_t>(std::count(bytes.begin(), bytes.end(), '\0')) > bytes.size() / 8 + 1) {
    return Invalid("", "FILE_ENCODING_UNKNOWN");
  }
  const Utf8Count count = CountUtf8(bytes);
  if (count.bad == 0 || count.good >= kGoodSequencesPerBadOne * count.bad) return DecodeUtf8(bytes);
  auto text = Convert(bytes, "GB18030", "FILE_ENCODING_UNKNOWN");
  if (!text.ok()) return text.status();
  if (HasStrangeCharacters(*text) || !LooksLikeGb18030(bytes)) return Invalid("", "FILE_ENCODING_UNKNOWN");
  return Decoded{*std::move(text), "GB18030"};
}

}  // namespace qinglan::importing
