#include "eventstore/rocks/format/coding.h"

#include <bit>
#include <cstring>

namespace qinglan::eventstore::rocks {
namespace {

constexpr int kVarintBytesMax = 10;

template <class T>
void AppendLittle(std::string& out, T value) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof(T));
}

template <class T>
T LoadLittle(const char* bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return value;
}

// There and back. A loop over the bytes, which g++ 12 leaves one, shows where an index file is sorted.
uint64_t ToBig(uint64_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

}  // namespace

void AppendFixed32(std::string& out, uint32_t value) { AppendLittle(out, value); }
void AppendFixed64(std::string& out, uint64_t value) { AppendLittle(out, value); }

void AppendBig64(std::string& out, uint64_t value) {
  const uint64_t big = ToBig(value);
  out.append(reinterpret_cast<const char*>(&big), sizeof(big));
}

void AppendVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out.append(text);
}

uint32_t LoadFixed32(const char* bytes) { return LoadLittle<uint32_t>(bytes); }

uint64_t LoadBig64(const char* bytes) {
  uint64_t big = 0;
  std::memcpy(&big, bytes, sizeof(big));
  return ToBig(big);
}

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  while (value >>= 7) ++bytes;
  return bytes;
}

uint8_t Decoder::Byte() {
  const std::string_view bytes = Bytes(1);
  return bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
}

uint32_t Decoder::Fixed32() {
  const std::string_view bytes = Bytes(sizeof(uint32_t));
  return bytes.empty() ? 0 : LoadLittle<uint32_t>(bytes.data());
}

uint64_t Decoder::Fixed64() {
  const std::string_view bytes = Bytes(sizeof(uint64_t));
  return bytes.empty() ? 0 : LoadLittle<uint64_t>(bytes.data());
}

uint64_t Decoder::Varint() {
  uint64_t value = 0;
  for (int i = 0; i < kVarintBytesMax && static_cast<size_t>(i) < rest_.size(); ++i) {
    const auto byte = static_cast<uint8_t>(rest_[static_cast<size_t>(i)]);
    if (i == kVarintBytesMax - 1 && byte > 1) break;  // more than 64 bits
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(static_cast<size_t>(i) + 1);
      return value;
    }
  }
  ok_ = false;
  rest_ = {};
  return 0;
}

std::string_view Decoder::Text() { return Bytes(Varint()); }

std::string_view Decoder::Bytes(uint64_t size) {
  if (size > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

}  // namespace qinglan::eventstore::rocks
