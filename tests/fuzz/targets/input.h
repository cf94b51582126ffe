// Takes numbers and texts off the front of what a fuzzer hands over; at its end everything is zero or empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qinglan::fuzz {

class Input {
 public:
  Input(const uint8_t* bytes, size_t size) : rest_(reinterpret_cast<const char*>(bytes), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return static_cast<uint8_t>(byte);
  }
  uint64_t Number(int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; ++i) number = number << 8 | Byte();
    return number;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace qinglan::fuzz

// What every target defines; 0 for an input that was of use.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);
