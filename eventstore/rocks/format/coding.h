// The letters of the grammar in eventstore/README.md: numbers and texts to bytes and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qinglan::eventstore::rocks {

void AppendFixed32(std::string& out, uint32_t value);
void AppendFixed64(std::string& out, uint64_t value);
void AppendBig64(std::string& out, uint64_t value);
void AppendVarint(std::string& out, uint64_t value);
void AppendText(std::string& out, std::string_view text);

uint32_t LoadFixed32(const char* bytes);
uint64_t LoadBig64(const char* bytes);

size_t VarintBytes(uint64_t value);

constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Takes letters off the front of some bytes. After the first letter that is not there, ok() is false for good
// and every further one is zero or empty. Views point into the bytes.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  uint8_t Byte();
  uint32_t Fixed32();
  uint64_t Fixed64();
  uint64_t Varint();
  std::string_view Text();
  std::string_view Bytes(uint64_t size);

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  bool ok_ = true;
  std::string_view rest_;
};

}  // namespace qinglan::eventstore::rocks
