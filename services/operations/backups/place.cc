#include "services/operations/backups/place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/files.h"

namespace qinglan::operations {
namespace {

namespace fs = std::filesystem;

// Without "." and "..", links followed as far as there is something; no slash at its end.
fs::path Plain(const std::string& path, std::error_code& error) {
  fs::path plain = fs::absolute(path, error);
  if (!error) plain = fs::weakly_canonical(plain, error);
  return plain.has_filename() ? plain : plain.parent_path();
}

bool IsIn(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

absl::Status CheckWritable(const std::string& directory) {
  // A file without a name: no kill leaves it behind.
  const int file = ::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0)
    return ::close(file) == 0 ? absl::OkStatus() : eventstore::rocks::FromErrno(errno, directory);
  const bool unknown_here = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL;
  if (unknown_here && ::access(directory.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return eventstore::rocks::FromErrno(errno, directory);
}

}  // namespace

absl::Status PreparePlace(const std::string& directory, const std::string& data) {
  std::error_code error;
  const fs::path backups = Plain(directory, error);
  if (error) return eventstore::rocks::FromErrno(error.value(), directory);
  const fs::path source = Plain(data, error);
  if (error) return eventstore::rocks::FromErrno(error.value(), data);
  if (IsIn(backups, source) || IsIn(source, backups)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: backups of {} must be in a directory apart from it", directory, data));
  }
  QL_RETURN_IF_ERROR(eventstore::rocks::MakeDirectories(directory));
  return CheckWritable(directory);
}

}  // namespace qinglan::operations
