// One file of keys and tombstones: read whole when it is opened, appended to, written anew when a key must go
// (README.md has the bytes). Thread-compatible.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qinglan::eventstore::privacy {

inline constexpr size_t kRecordBytesMax = 4096;

struct KeyRecord {
  std::string subject;
  uint32_t version = 1;
  absl::Time made_at;
  std::string master_id;
  std::string wrapped;
  bool operator==(const KeyRecord&) const = default;
};

// What is left of a subject whose key was destroyed.
struct Tombstone {
  std::string subject;
  absl::Time erased_at;
  uint32_t versions = 0;   // how many the key had; 0 when nothing had ever been sealed
  std::string key_digest;  // 32 bytes, of the key that is gone: a copy that turns up can be told by it
  bool operator==(const Tombstone&) const = default;
};

using Record = std::variant<KeyRecord, Tombstone>;

class KeyFile {
 public:
  // Opens "<directory>/<name>", which is made when there is something to store, ends a rewriting that was
  // interrupted, drops a torn tail and hands over every record. DATA_LOSS with file and offset for damage;
  // UNAVAILABLE when the disk refuses.
  static absl::StatusOr<std::unique_ptr<KeyFile>> Open(const std::string& directory, const std::string& name,
                                                       absl::FunctionRef<absl::Status(Record)> visit);
  ~KeyFile();
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  // On stable storage when it returns OK; nothing of it is there when it does not, as far as the disk can
  // tell: after a failed sync every later call is UNAVAILABLE until the file is opened again.
  [[nodiscard]] absl::Status Append(const std::vector<Record>& records);

  // Replaces the file by one with these records, and overwrites what the former held. When it fails, the file
  // is as it was, or broken(): then either of the two is found when it is opened again.
  [[nodiscard]] absl::Status Rewrite(const std::vector<Record>& records);

  bool broken() const { return broken_; }

 private:
  KeyFile(std::string directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}
  absl::Status OpenOrMake();
  absl::Status Load(absl::FunctionRef<absl::Status(Record)> visit);
  absl::Status FinishRewriting() const;
  std::string Path(std::string_view suffix = "") const;
  absl::Status Fails(std::string_view what) const;

  const std::string directory_;
  const std::string name_;
  int file_ = -1;
  uint64_t size_ = 0;
  bool broken_ = false;
};

// fsync of a file, or of a directory, so that what was made, renamed or unlinked in it stays so.
absl::Status SyncFile(const std::string& path);

}  // namespace qinglan::eventstore::privacy
