// Files as backups treat them: hashed on the way, on stable storage when a call returns, whole or not there.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace qinglan::eventstore {

// Told now and then how far a long piece of work has come: what it is at ("copy", "restore", ...), how much
// of it is done and of how much, in bytes or events. False stops the work, which then is CANCELLED.
using BackupProgress = std::function<bool(std::string_view phase, uint64_t done, uint64_t of)>;

namespace rocks {

inline constexpr mode_t kBackupFileMode = 0600;  // there are keys of persons among them
inline constexpr mode_t kBackupDirectoryMode = 0700;

// A hash of all that was added, as 32 hexadecimal digits: XXH3 with 128 bits. Against accidents, not forgers.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(const ContentHash&) = delete;
  void Add(std::string_view bytes);
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
std::string HashOf(std::string_view bytes);

// How fast a copy may go and whom it tells. Not thread-safe.
class Pace {
 public:
  // bytes_per_second_max: 0 for no limit.
  Pace(std::string_view phase, uint64_t of, uint64_t bytes_per_second_max, const BackupProgress& progress);
  // Reports; sleeps as long as the limit asks for. CANCELLED when the listener said so.
  absl::Status Passed(uint64_t bytes);
  uint64_t done() const { return done_; }

 private:
  const std::string phase_;
  const uint64_t of_;
  const uint64_t bytes_per_second_max_;
  const BackupProgress& progress_;
  const absl::Time begin_;
  uint64_t done_ = 0;
};

// errno as a status: no space RESOURCE_EXHAUSTED, no such file NOT_FOUND, anything else UNAVAILABLE.
absl::Status FromErrno(int error, std::string_view path);

struct Copied {
  uint64_t bytes = 0;
  std::string hash;
};
// Makes `to`, which must not be there, with the bytes of `from`, and syncs it.
absl::StatusOr<Copied> CopySynced(const std::string& from, const std::string& to, Pace& pace);
// The size and hash of a file.
absl::StatusOr<Copied> HashFile(const std::string& path, Pace& pace);

// A file that is written once, front to back, and synced by Finish().
class NewFile {
 public:
  // `path` must not be there. ALREADY_EXISTS when it is.
  static absl::StatusOr<std::unique_ptr<NewFile>> Make(const std::string& path, mode_t mode);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  absl::Status Write(std::string_view bytes);
  absl::Status Finish();

 private:
  NewFile(std::string path, int file) : path_(std::move(path)), file_(file) {}
  absl::Status SyncNowAndThen(size_t bytes);

  const std::string path_;
  int file_;
  size_t unsynced_ = 0;
};

absl::StatusOr<std::string> ReadWhole(const std::string& path);
// Writes `path` anew by way of `path`.partial; afterwards it is there for good.
absl::Status WriteWhole(const std::string& path, std::string_view content);
// Puts `from` in the place of `to` and syncs the directory that holds them.
absl::Status RenameSynced(const std::string& from, const std::string& to);
absl::Status SyncDirectory(const std::string& path);
// Makes the directory and its parents; OK when it is there.
absl::Status MakeDirectories(const std::string& path);
// OK when nothing is there.
absl::Status RemoveAll(const std::string& path);

// A lock on a directory that processes share or hold alone; given back at the end, or when the process dies.
class SharedDirectoryLock {
 public:
  SharedDirectoryLock() = default;  // holds nothing
  // FAILED_PRECONDITION when another holds it in a way that does not go together; NOT_FOUND.
  static absl::StatusOr<SharedDirectoryLock> Take(const std::string& directory, bool alone);
  ~SharedDirectoryLock();
  SharedDirectoryLock(SharedDirectoryLock&& other) noexcept;
  SharedDirectoryLock& operator=(SharedDirectoryLock&&) = delete;

 private:
  explicit SharedDirectoryLock(int file) : file_(file) {}
  int file_ = -1;
};

}  // namespace rocks
}  // namespace qinglan::eventstore
