#include "eventstore/rocks/backup/files.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kCopyBytes = 1024 * 1024;
// So that one big sync does not stand in the way of the small ones of whoever appends meanwhile.
constexpr size_t kSyncEveryBytes = 8 * 1024 * 1024;

// A file descriptor that is closed at the end.
class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : file_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  int get() const { return file_; }
  bool ok() const { return file_ >= 0; }

 private:
  const int file_;
};

// Hands over the bytes of a file piece by piece.
template <class Visit>
absl::Status ReadPieces(const std::string& path, Visit visit) {
  const OpenFile file(path, O_RDONLY);
  if (!file.ok()) return FromErrno(errno, path);
  (void)posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<char> buffer(kCopyBytes);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno(errno, path);
    if (got == 0) return absl::OkStatus();
    QL_RETURN_IF_ERROR(visit(std::string_view(buffer.data(), static_cast<size_t>(got))));
  }
}

std::string ParentOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// NOT_FOUND when there is nothing to make it in.
absl::Status MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), kBackupDirectoryMode) == 0) return SyncDirectory(ParentOf(path));
  const int refused = errno;
  std::error_code error;
  if (refused == EEXIST && std::filesystem::is_directory(path, error)) return absl::OkStatus();
  return FromErrno(refused, path);
}

}  // namespace

struct ContentHash::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  State() { (void)XXH3_128bits_reset(xxh3); }
  ~State() { XXH3_freeState(xxh3); }
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) {}
ContentHash::~ContentHash() = default;

void ContentHash::Add(std::string_view bytes) {
  (void)XXH3_128bits_update(state_->xxh3, bytes.data(), bytes.size());
}

std::string ContentHash::Hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh3);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string HashOf(std::string_view bytes) {
  ContentHash hash;
  hash.Add(bytes);
  return hash.Hex();
}

Pace::Pace(std::string_view phase, uint64_t of, uint64_t bytes_per_second_max, const BackupProgress& progress)
    : phase_(phase),
      of_(of),
      bytes_per_second_max_(bytes_per_second_max),
      progress_(progress),
      begin_(absl::Now()) {}

absl::Status Pace::Passed(uint64_t bytes) {
  done_ += bytes;
  if (progress_ && !progress_(phase_, done_, of_)) return absl::CancelledError("stopped on request");
  if (bytes_per_second_max_ > 0) {
    const absl::Duration due =
        absl::Seconds(static_cast<double>(done_) / static_cast<double>(bytes_per_second_max_));
    absl::SleepFor(begin_ + due - absl::Now());
  }
  return absl::OkStatus();
}

absl::Status FromErrno(int error, std::string_view path) {
  const std::string message = fmt::format("{}: {}", path, std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EEXIST) return absl::AlreadyExistsError(message);
  return absl::UnavailableError(message);
}

absl::StatusOr<Copied> CopySynced(const std::string& from, const std::string& to, Pace& pace) {
  QL_ASSIGN_OR_RETURN(const auto file, NewFile::Make(to, kBackupFileMode));
  Copied copied;
  ContentHash hash;
  QL_RETURN_IF_ERROR(ReadPieces(from, [&](std::string_view piece) {
    hash.Add(piece);
    copied.bytes += piece.size();
    absl::Status status = file->Write(piece);
    return status.ok() ? pace.Passed(piece.size()) : status;
  }));
  QL_RETURN_IF_ERROR(file->Finish());
  copied.hash = hash.Hex();
  return copied;
}

absl::StatusOr<Copied> HashFile(const std::string& path, Pace& pace) {
  Copied found;
  ContentHash hash;
  QL_RETURN_IF_ERROR(ReadPieces(path, [&](std::string_view piece) {
    hash.Add(piece);
    found.bytes += piece.size();
    return pace.Passed(piece.size());
  }));
  found.hash = hash.Hex();
  return found;
}

absl::StatusOr<std::unique_ptr<NewFile>> NewFile::Make(const std::string& path, mode_t mode) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return FromErrno(errno, path);
  return std::unique_ptr<NewFile>(new NewFile(path, file));
}

NewFile::~NewFile() {
  if (file_ >= 0) ::close(file_);
}

absl::Status NewFile::Write(std::string_view bytes) {
  const size_t size = bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FromErrno(errno, path_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return SyncNowAndThen(size);
}

absl::Status NewFile::SyncNowAndThen(size_t bytes) {
  unsynced_ += bytes;
  if (unsynced_ < kSyncEveryBytes) return absl::OkStatus();
  unsynced_ = 0;
  return ::fdatasync(file_) == 0 ? absl::OkStatus() : FromErrno(errno, path_);
}

absl::Status NewFile::Finish() {
  if (::fsync(file_) != 0) return FromErrno(errno, path_);
  // The copy is not what anybody will read next; what the server reads should stay in memory.
  (void)posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED);
  return ::close(std::exchange(file_, -1)) == 0 ? absl::OkStatus() : FromErrno(errno, path_);
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::string content;
  QL_RETURN_IF_ERROR(ReadPieces(path, [&](std::string_view piece) {
    content.append(piece);
    return absl::OkStatus();
  }));
  return content;
}

absl::Status WriteWhole(const std::string& path, std::string_view content) {
  const std::string partial = path + ".partial";
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) return FromErrno(errno, partial);
  QL_ASSIGN_OR_RETURN(const auto file, NewFile::Make(partial, kBackupFileMode));
  QL_RETURN_IF_ERROR(file->Write(content));
  QL_RETURN_IF_ERROR(file->Finish());
  return RenameSynced(partial, path);
}

absl::Status RenameSynced(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return FromErrno(errno, to);
  return SyncDirectory(ParentOf(to));
}

absl::Status SyncDirectory(const std::string& path) {
  const OpenFile directory(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok() || ::fsync(directory.get()) != 0) return FromErrno(errno, path);
  return absl::OkStatus();
}

absl::Status MakeDirectories(const std::string& path) {
  absl::Status made = MakeDirectory(path);
  const std::string parent = ParentOf(path);
  std::error_code error;
  // In a directory that was removed, or is the kernel's, nothing can be made although it is there.
  if (!absl::IsNotFound(made) || parent == path || std::filesystem::is_directory(parent, error)) return made;
  QL_RETURN_IF_ERROR(MakeDirectories(parent));
  return MakeDirectory(path);
}

absl::Status RemoveAll(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? FromErrno(error.value(), path) : absl::OkStatus();
}

absl::StatusOr<SharedDirectoryLock> SharedDirectoryLock::Take(const std::string& directory, bool alone) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return FromErrno(errno, directory);
  SharedDirectoryLock lock(file);
  if (::flock(file, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: another process is at work on these backups", directory));
  }
  return lock;
}

SharedDirectoryLock::~SharedDirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

SharedDirectoryLock::SharedDirectoryLock(SharedDirectoryLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)) {}

}  // namespace qinglan::eventstore::rocks
