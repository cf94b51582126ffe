#include "services/runtime/call.h"

#include <absl/time/clock.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::runtime {
namespace {

constexpr char kCrockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// A ULID: 48 bits of milliseconds and 80 random bits, in 26 characters of 5 bits, so ids sort roughly by age.
std::string NewUlid(absl::Time now) {
  std::array<unsigned char, 16> bytes{};
  const auto milliseconds = static_cast<uint64_t>(absl::ToUnixMillis(now));
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(milliseconds >> (8 * (5 - i)));
  QL_CHECK(RAND_bytes(bytes.data() + 6, 10) == 1, "the system gives random bytes");
  std::string text(26, '0');
  for (int i = 0; i < 26; ++i) {
    int value = 0;
    for (int bit = 5 * i - 2; bit < 5 * i + 3; ++bit) {  // 130 bits, the first two of them always 0
      value = 2 * value + (bit < 0 ? 0 : (bytes[static_cast<size_t>(bit / 8)] >> (7 - bit % 8)) & 1);
    }
    text[static_cast<size_t>(i)] = kCrockford[value];
  }
  return text;
}

}  // namespace

Environment Environment::Real(absl::TimeZone time_zone, std::shared_ptr<const Sealing> sealing) {
  return Environment{[] { return absl::Now(); }, [] { return NewUlid(absl::Now()); }, time_zone,
                     std::move(sealing)};
}

}  // namespace qinglan::runtime
