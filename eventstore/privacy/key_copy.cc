#include "eventstore/privacy/key_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/privacy/key_file.h"
#include "eventstore/privacy/key_list.h"

namespace qinglan::eventstore::privacy {
namespace {

namespace fs = std::filesystem;

constexpr int kAttemptsMax = 1000;  // a key of the file is destroyed in each: nobody erases so many so fast

absl::Status Fails(const std::string& path, std::string_view what) {
  return absl::UnavailableError(fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno)));
}

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : file_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~OpenFile() {
    if (file_ >= 0) close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  int get() const { return file_; }

 private:
  const int file_;
};

absl::StatusOr<std::string> ReadToEnd(int file, const std::string& path) {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  std::string bytes;
  for (;;) {
    const size_t before = bytes.size();
    bytes.resize(before + kPieceBytes);
    const ssize_t got = read(file, bytes.data() + before, kPieceBytes);
    bytes.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) return Fails(path, "read");
    if (got == 0) return bytes;
  }
}

// As it was at some instant since the call, but for a last record that was being appended. A file that is
// written anew is overwritten with zeros once the new one has its name, and those would look like an end that
// a crash has torn: what was read counts only if the name is still that of the file it was read from.
absl::StatusOr<std::string> ReadKeys(const std::string& path) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const OpenFile file(path, O_RDONLY);
    if (file.get() < 0) return Fails(path, "open");
    QL_ASSIGN_OR_RETURN(std::string bytes, ReadToEnd(file.get(), path));
    struct stat read{};
    struct stat named{};
    if (fstat(file.get(), &read) != 0 || stat(path.c_str(), &named) != 0) return Fails(path, "look at");
    if (read.st_ino == named.st_ino && read.st_dev == named.st_dev) return bytes;
  }
  return absl::UnavailableError(fmt::format("{}: is written anew all the time", path));
}

absl::Status WriteKeys(const std::string& path, std::string_view bytes) {
  const OpenFile file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) return Fails(path, "make");
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Fails(path, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file.get()) == 0 ? absl::OkStatus() : Fails(path, "sync");
}

absl::StatusOr<CopiedKeys> CopyInto(const std::string& from, const std::string& to) {
  CopiedKeys copied;
  QL_ASSIGN_OR_RETURN(const std::vector<std::string> names, KeyList::FilesIn(from));
  for (const std::string& name : names) {
    QL_ASSIGN_OR_RETURN(const std::string bytes, ReadKeys(fmt::format("{}/{}", from, name)));
    QL_RETURN_IF_ERROR(WriteKeys(fmt::format("{}/{}", to, name), bytes));
    ++copied.files;
    // Drops the record that was being appended, and finds damage.
    const auto file = KeyFile::Open(to, name, [&](const Record& record) {
      ++(std::holds_alternative<KeyRecord>(record) ? copied.keys : copied.erased);
      return absl::OkStatus();
    });
    QL_RETURN_IF_ERROR(file.status());
  }
  QL_RETURN_IF_ERROR(SyncFile(to));
  return copied;
}

}  // namespace

absl::StatusOr<CopiedKeys> CopyKeyFiles(const std::string& from, const std::string& to) {
  std::string place = to;
  while (place.size() > 1 && place.ends_with('/')) place.pop_back();
  std::error_code error;
  if (!fs::is_directory(from, error)) return absl::NotFoundError(fmt::format("{}: no keys are here", from));
  if (fs::exists(place, error)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: something is here already; a copy of keys makes a directory of its own", place));
  }
  // Its own, whatever else is beside it: another copy may be on its way to the same name.
  std::string partial = place + ".XXXXXX";
  if (mkdtemp(partial.data()) == nullptr) return Fails(place, "make a directory beside");
  absl::StatusOr<CopiedKeys> copied = CopyInto(from, partial);
  if (copied.ok() && rename(partial.c_str(), place.c_str()) != 0) copied = Fails(place, "name");
  if (!copied.ok()) {
    fs::remove_all(partial, error);
    return copied;
  }
  QL_RETURN_IF_ERROR(SyncFile(fs::absolute(place).parent_path().string()));
  return copied;
}

}  // namespace qinglan::eventstore::privacy
