#include "eventstore/privacy/key_list.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <variant>

#include "eventstore/check.h"
#include "eventstore/privacy/key_file.h"

namespace qinglan::eventstore::privacy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFilePrefix = "keys-";
constexpr uint32_t kErasedMark = std::numeric_limits<uint32_t>::max();

}  // namespace

KeyList::Digest KeyList::DigestOf(std::string_view subject) {
  const XXH128_hash_t hash = XXH3_128bits(subject.data(), subject.size());
  return {hash.high64, hash.low64};
}

absl::StatusOr<std::vector<std::string>> KeyList::FilesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const fs::path name = entry->path().filename();  // one that is being replaced has an extension
    if (name.string().starts_with(kFilePrefix) && !name.has_extension()) names.push_back(name.string());
  }
  if (error) return absl::UnavailableError(fmt::format("{}: {}", directory, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<KeyList> KeyList::Read(const std::string& directory) {
  KeyList list;
  std::error_code error;
  if (!fs::exists(directory, error)) return list;
  QL_ASSIGN_OR_RETURN(const std::vector<std::string> names, FilesIn(directory));
  for (const std::string& name : names) {
    const auto file = KeyFile::Open(directory, name, [&](Record record) {
      if (const auto* key = std::get_if<KeyRecord>(&record)) {
        uint32_t& versions = list.versions_[DigestOf(key->subject)];
        versions = std::max(versions, key->version);
      } else {
        list.versions_[DigestOf(std::get<Tombstone>(record).subject)] = kErasedMark;
      }
      return absl::OkStatus();
    });
    QL_RETURN_IF_ERROR(file.status());
  }
  return list;
}

KeyList::Found KeyList::Find(std::string_view subject, uint32_t version) const {
  const auto found = versions_.find(DigestOf(subject));
  if (found == versions_.end()) return Found::kMissing;
  if (found->second == kErasedMark) return Found::kErased;
  return version <= found->second ? Found::kHeld : Found::kMissing;
}

}  // namespace qinglan::eventstore::privacy
