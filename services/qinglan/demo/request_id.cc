#include "services/qinglan/demo/request_id.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace qinglan::demo {
namespace {

// The namespace of this demo's names, drawn once at random.
constexpr std::array<unsigned char, 16> kNamespace = {0x5b, 0x1f, 0x0c, 0x6e, 0x8d, 0x42, 0x4f, 0x19,
                                                      0xa6, 0x33, 0x71, 0x28, 0xe0, 0x9a, 0xc4, 0xd7};

}  // namespace

std::string RequestIdOf(std::string_view name) {
  std::string text(kNamespace.begin(), kNamespace.end());
  text += name;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);  // version 5
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);  // the RFC's variant
  std::string uuid;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += fmt::format("{:02x}", digest[i]);
  }
  return uuid;
}

}  // namespace qinglan::demo
