#include "services/qinglan/keys/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "eventstore/check.h"
#include "eventstore/privacy/key_file.h"

namespace qinglan {

absl::StatusOr<bool> IsThere(const std::string& path) {
  std::error_code error;
  const bool there = std::filesystem::exists(path, error);
  if (!error) return there;
  return absl::ErrnoToStatus(error.value(), path);
}

absl::StatusOr<NewFile> NewFile::Make(const std::string& path) {
  // An empty one is what an attempt that was killed left behind.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file < 0) return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat status{};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
    return NewFile(path, file);
  ::close(file);
  return absl::AlreadyExistsError(fmt::format("{}: is there already, and is not replaced", path));
}

NewFile::~NewFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(path_.c_str());
}

absl::Status NewFile::Write(std::string_view content) {
  QL_CHECK(file_ >= 0, "a new file is written once");
  const bool written =
      ::write(file_, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(file_) == 0;
  if (!written) return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
  ::close(std::exchange(file_, -1));
  return eventstore::privacy::SyncFile(std::filesystem::absolute(path_).parent_path().string());
}

}  // namespace qinglan
