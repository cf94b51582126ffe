// The letters of protobuf's wire format. The messages that carry events are written and read by hand
// (messages.h), because making a message object of every event costs more than reading the event from the
// log; the bytes are those of event_store_service.proto, and tests hold them against its generated code.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace qinglan::eventstore::remote {

constexpr size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Fields below 16, so that every tag is one byte.
constexpr uint8_t WireTag(uint32_t field, WireType type) {
  return static_cast<uint8_t>(field << 3 | static_cast<uint32_t>(type));
}

// What a field takes up. A number that is 0 and a text that is empty are not written, as in proto3.
constexpr size_t NumberBytes(uint64_t value) { return value == 0 ? 0 : 1 + VarintBytes(value); }
constexpr size_t ItemBytes(size_t size) { return 1 + VarintBytes(size) + size; }  // of a list, or a message
constexpr size_t TextBytes(std::string_view text) { return text.empty() ? 0 : ItemBytes(text.size()); }

// Writes fields into memory that is large enough.
class WireWriter {
 public:
  explicit WireWriter(char* at) : at_(at) {}

  void Number(uint32_t field, uint64_t value) {
    if (value != 0) NumberAlways(field, value);
  }
  void NumberAlways(uint32_t field, uint64_t value) {
    *at_++ = static_cast<char>(WireTag(field, WireType::kVarint));
    Varint(value);
  }
  void Text(uint32_t field, std::string_view text) {
    if (!text.empty()) Item(field, text);
  }
  void Item(uint32_t field, std::string_view bytes) {
    Begin(field, bytes.size());
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());  // that of none may point nowhere
    at_ += bytes.size();
  }
  // The head of a message of `size` bytes, whose fields follow.
  void Begin(uint32_t field, size_t size) {
    *at_++ = static_cast<char>(WireTag(field, WireType::kBytes));
    Varint(size);
  }

  const char* at() const { return at_; }

 private:
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(value | 0x80);
    *at_++ = static_cast<char>(value);
  }

  char* at_;
};

// Room for `size` more bytes at the end of `out`.
inline WireWriter Grow(std::string& out, size_t size) {
  out.resize(out.size() + size);
  return WireWriter(out.data() + out.size() - size);
}

// Steps through the fields of a message. After anything that is not well-formed, or a field asked for as what
// it is not, ok() is false for good and there are no more fields. Views point into the bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // To the next field; false at the end.
  bool Next();
  uint32_t field() const { return field_; }
  uint64_t Number() {
    if (type_ != WireType::kVarint) Break();
    return number_;
  }
  std::string_view Bytes() {
    if (type_ != WireType::kBytes) Break();
    return bytes_;
  }

  bool ok() const { return ok_; }

 private:
  void Break() {
    ok_ = false;
    at_ = end_;
    number_ = 0;
    bytes_ = {};
  }
  bool Varint(uint64_t& value);
  void Take(uint64_t size);

  const char* at_;
  const char* end_;
  bool ok_ = true;
  uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

inline bool WireReader::Varint(uint64_t& value) {
  value = 0;
  for (int shift = 0; at_ != end_ && shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  Break();
  return false;
}

inline void WireReader::Take(uint64_t size) {
  if (size > static_cast<uint64_t>(end_ - at_)) return Break();
  bytes_ = {at_, static_cast<size_t>(size)};
  at_ += size;
}

inline bool WireReader::Next() {
  if (at_ == end_) return false;
  uint64_t tag = 0;
  if (!Varint(tag)) return false;
  field_ = static_cast<uint32_t>(tag >> 3);
  type_ = static_cast<WireType>(tag & 7);
  if (field_ == 0 || tag > UINT32_MAX) Break();
  if (!ok_) return false;
  switch (type_) {
    case WireType::kVarint:
      return Varint(number_);
    case WireType::kBytes: {
      uint64_t size = 0;
      if (Varint(size)) Take(size);
      return ok_;
    }
    case WireType::kFixed64:
      Take(8);
      return ok_;
    case WireType::kFixed32:
      Take(4);
      return ok_;
  }
  Break();  // groups, and what is not defined
  return false;
}

// How many items a list has: its room is then taken once, which costs less than to grow into it.
inline size_t CountItems(uint32_t field, std::string_view bytes) {
  size_t items = 0;
  for (WireReader reader(bytes); reader.Next();) items += reader.field() == field ? 1 : 0;
  return items;
}

}  // namespace qinglan::eventstore::remote
