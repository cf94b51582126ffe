// Which keys a directory holds: as much as can be told without a master key.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qinglan::eventstore::privacy {

// Some 70 bytes of memory a subject. Thread-safe once it is read.
class KeyList {
 public:
  // Reads the key files of a directory that nobody has open; one that is not there holds none. DATA_LOSS with
  // file and offset for damage; UNAVAILABLE when the disk refuses.
  static absl::StatusOr<KeyList> Read(const std::string& directory);

  // The names of the key files of a directory, sorted; whatever else is in it is none.
  static absl::StatusOr<std::vector<std::string>> FilesIn(const std::string& directory);

  enum class Found {
    kHeld,     // that version is there
    kErased,   // the key was destroyed, and the list says so
    kMissing,  // nothing is known of it: what is sealed under it is lost
  };
  Found Find(std::string_view subject, uint32_t version) const;

 private:
  // Of a subject's name, 128 bits: two with one digest are not met with.
  using Digest = std::pair<uint64_t, uint64_t>;
  static Digest DigestOf(std::string_view subject);

  absl::flat_hash_map<Digest, uint32_t> versions_;  // how many; kErasedMark: destroyed
};

}  // namespace qinglan::eventstore::privacy
