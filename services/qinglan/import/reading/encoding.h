// From a file's bytes to UTF-8. What cannot be told for certain is refused: a name in the wrong script is
// worse than none.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace qinglan::importing {

struct Decoded {
  std::string text;           // valid UTF-8, no byte-order mark
  std::string_view encoding;  // "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030"
};

// UTF-8 with or without a byte-order mark, UTF-16 with one, and GB 18030 when the bytes are strictly that and
// look like Chinese. INVALID_ARGUMENT with reason FILE_EMPTY, FILE_NOT_TEXT (a workbook, an image under a
// text's name), FILE_OLD_EXCEL (.xls), FILE_UTF8_BROKEN {line}, FILE_UTF16_BROKEN, FILE_ENCODING_UNKNOWN.
absl::StatusOr<Decoded> DecodeText(std::string_view bytes);

// The length of the valid UTF-8 sequence at the start of `text`; 0 when there is none.
size_t Utf8SequenceLength(std::string_view text);

}  // namespace qinglan::importing
