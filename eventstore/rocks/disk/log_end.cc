#include "eventstore/rocks/disk/log_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

// A piece's head in RocksDB's format: checksum (4 bytes, masked CRC-32C of all from the type on), length of
// the payload (2 bytes), type (1 byte), and for a log file that is used again the log's number (4 bytes).
constexpr size_t kHeadBytes = 7;
constexpr size_t kReusedHeadBytes = 11;
constexpr size_t kTypeAt = 6;
constexpr size_t kSectorBytes = 512;  // a disk writes one whole or not at all

enum Type : uint8_t {
  kNothing = 0,
  kFull,
  kFirst,
  kMiddle,
  kLast,
  kReusedFull,
  kReusedLast = 8,
  kTypeMax = 10
};

// Eight tables, so that eight bytes are one step: a start looks at some megabytes of each log.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeCrc32cTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    tables[0][i] = crc;
  }
  for (size_t t = 1; t < tables.size(); ++t)
    for (size_t i = 0; i < 256; ++i)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
  return tables;
}
constexpr auto kCrc32c = MakeCrc32cTables();

class Crc32c {
 public:
  void Add(char byte) { state_ = kCrc32c[0][(state_ ^ static_cast<uint8_t>(byte)) & 0xff] ^ (state_ >> 8); }
  void Add(std::string_view bytes) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      const uint32_t low = state_ ^ LoadFixed32(bytes.data());
      const uint32_t high = LoadFixed32(bytes.data() + 4);
      state_ = kCrc32c[7][low & 0xff] ^ kCrc32c[6][low >> 8 & 0xff] ^ kCrc32c[5][low >> 16 & 0xff] ^
               kCrc32c[4][low >> 24] ^ kCrc32c[3][high & 0xff] ^ kCrc32c[2][high >> 8 & 0xff] ^
               kCrc32c[1][high >> 16 & 0xff] ^ kCrc32c[0][high >> 24];
    }
    for (const char byte : bytes) Add(byte);
  }
  uint32_t Masked() const {
    const uint32_t crc = ~state_;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  }

 private:
  uint32_t state_ = 0xffffffffu;
};

bool IsZero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

// The head at the front of `rest`, at least kHeadBytes long.
struct Piece {
  explicit Piece(std::string_view rest)
      : type(static_cast<uint8_t>(rest[kTypeAt])),
        head(type >= kReusedFull && type <= kReusedLast ? kReusedHeadBytes : kHeadBytes),
        size(head +
             (static_cast<uint8_t>(rest[4]) | static_cast<size_t>(static_cast<uint8_t>(rest[5])) << 8)) {}
  bool IsWhole(std::string_view rest) const {
    if (type == kNothing || type > kTypeMax || size > rest.size()) return false;
    Crc32c crc;
    crc.Add(rest.substr(kTypeAt, size - kTypeAt));
    return crc.Masked() == LoadFixed32(rest.data());
  }
  // As the types of a log that is used again follow in the same order.
  uint8_t kind() const {
    return type >= kReusedFull && type <= kReusedLast ? type - kReusedFull + kFull : type;
  }
  bool begins() const { return kind() != kMiddle && kind() != kLast; }
  bool ends() const { return kind() != kFirst && kind() != kMiddle; }

  uint8_t type;
  size_t head;
  size_t size;  // with the head
};

class Walk {
 public:
  Walk(std::string_view window, uint64_t window_at, std::string_view file)
      : window_(window), window_at_(window_at), file_(file) {
    const size_t last = window.find_last_not_of('\0');
    written_ = last == std::string_view::npos ? 0 : last + 1;
  }

  absl::StatusOr<WalEnd> End() {
    std::optional<size_t> begun;  // a record that has not ended
    std::optional<size_t> end;    // of the last that has
    if (window_at_ == 0) end = 0;
    size_t at = 0;
    bool lacks_some = false;
    while (at < written_) {
      const std::string_view rest = RestOfBlock(at);
      // Too little for a head: padding, or a head cut short at the end of the file.
      if (rest.size() < kHeadBytes) {
        at += rest.size();
        continue;
      }
      const Piece piece(rest);
      if (!piece.IsWhole(rest)) {
        QL_RETURN_IF_ERROR(CheckTorn(at, piece));
        if (!begun.has_value()) begun = at;
        lacks_some = !IsCutByTheEnd(at, piece);
        if (!lacks_some) at = window_.size();
        break;
      }
      if (piece.begins()) begun = at;
      at += piece.size;
      if (!piece.ends()) continue;
      begun.reset();
      end = at;
    }
    if (begun.has_value()) end = begun;
    if (!end.has_value()) return Damage(0, "no record begins or ends in its last part");
    return WalEnd{window_at_ + *end, window_at_ + (lacks_some ? *end : std::max(at, *end))};
  }

 private:
  std::string_view RestOfBlock(size_t at) const {
    return window_.substr(at, kLogBlockBytes - at % kLogBlockBytes);
  }
  absl::Status Damage(size_t at, std::string_view what) const {
    return absl::DataLossError(
        fmt::format("{}: the record at byte {} is damaged: {}", file_, window_at_ + at, what));
  }

  // OK when the piece at `at`, which is not whole, is of a write that was cut short.
  absl::Status CheckTorn(size_t at, const Piece& piece) const {
    const std::string_view rest = RestOfBlock(at);
    if (IsWholeWithAnotherLength(rest)) return Damage(at, "its length is wrong");
    // Its length is right, as far as it has one; but without a head nothing tells where the next begins.
    const bool has_end = piece.type != kNothing && piece.size <= rest.size();
    for (size_t later = at + (has_end ? piece.size : 1); later < written_;) {
      const size_t block_end = std::min(written_, later - later % kLogBlockBytes + kLogBlockBytes);
      const std::optional<size_t> begin = FindBegin(later, block_end);
      if (begin.has_value())
        return Damage(at, fmt::format("a whole one follows at byte {}", window_at_ + *begin));
      later = block_end;
    }
    if (IsCutByTheEnd(at, piece) || LacksSector(at, std::min(piece.size, rest.size())))
      return absl::OkStatus();
    return Damage(at, "its checksum does not fit");
  }

  bool IsCutByTheEnd(size_t at, const Piece& piece) const {
    const size_t rest = RestOfBlock(at).size();
    return piece.size > rest && at + rest == window_.size();
  }

  std::optional<size_t> FindBegin(size_t from, size_t to) const {
    for (size_t at = from; at < to; ++at) {
      const std::string_view rest = RestOfBlock(at);
      if (rest.size() < kHeadBytes) break;
      const Piece piece(rest);
      if (piece.begins() && piece.IsWhole(rest)) return at;
    }
    return std::nullopt;
  }

  // Whether of the piece one sector at least is as it was prepared, so far as it is the piece's.
  bool LacksSector(size_t at, size_t size) const {
    if (IsZero(window_.substr(at, kHeadBytes))) return true;
    for (size_t part = at; part < at + size;) {
      const size_t end = std::min(at + size, part - part % kSectorBytes + kSectorBytes);
      if (IsZero(window_.substr(part, end - part))) return true;
      part = end;
    }
    return false;
  }

  const std::string_view window_;
  const uint64_t window_at_;
  const std::string_view file_;
  size_t written_;  // up to here something is other than zero
};

}  // namespace

absl::StatusOr<WalEnd> EndOfLog(std::string_view window, uint64_t window_at, std::string_view file) {
  QL_CHECK(window_at % kLogBlockBytes == 0, "a log is read from the begin of a block");
  return Walk(window, window_at, file).End();
}

bool IsWholeWithAnotherLength(std::string_view rest) {
  const size_t head = Piece(rest).head;
  const uint32_t checksum = LoadFixed32(rest.data());
  Crc32c crc;
  for (size_t at = kTypeAt; at < rest.size(); ++at) {
    crc.Add(rest[at]);
    if (at + 1 >= head && crc.Masked() == checksum) return true;
  }
  return false;
}

}  // namespace qinglan::eventstore::rocks
