// 256 secret bits. Copies are wiped when they end, so that a key is in memory no longer than it is in use.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace qinglan::eventstore::privacy {

inline constexpr size_t kSecretBytes = 32;

class Secret {
 public:
  static Secret Random();
  // The first kSecretBytes of `bytes`, which are that many.
  static Secret Of(std::string_view bytes);
  // BLAKE2b-256 of `text`, keyed by this secret: another secret that does not tell this one.
  Secret Derive(std::string_view text) const;

  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  const unsigned char* data() const { return bytes_.data(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  Secret() = default;
  std::array<unsigned char, kSecretBytes> bytes_{};
};

// BLAKE2b-256 of `text`: 32 bytes.
std::string Digest(std::string_view text);
// Lower case.
std::string Hexadecimal(std::string_view bytes);

}  // namespace qinglan::eventstore::privacy
