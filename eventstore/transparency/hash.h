// The hashes of the log's Merkle tree (RFC 6962): SHA-256, with one byte in front that tells a leaf from a
// node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace qinglan::eventstore::transparency {

inline constexpr size_t kHashBytes = 32;
inline constexpr char kLeafPrefix = 0;
inline constexpr char kNodePrefix = 1;

struct Hash {
  std::array<char, kHashBytes> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  bool operator==(const Hash&) const = default;
};
static_assert(sizeof(Hash) == kHashBytes);

// The hash whose bytes these are; false when they are not kHashBytes.
[[nodiscard]] bool HashFrom(std::string_view bytes, Hash& hash);
// For people: lower-case hexadecimal digits.
std::string Hex(const Hash& hash);

// Hashes one thing after another in one context: nothing is allocated after its construction. Not
// thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hash Leaf(std::string_view leaf);
  Hash Node(const Hash& left, const Hash& right);
  // The tree without leaves: the hash of nothing.
  Hash Empty();
  // SHA-256 of the bytes as they are; those of a leaf begin with kLeafPrefix.
  Hash Plain(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace qinglan::eventstore::transparency
