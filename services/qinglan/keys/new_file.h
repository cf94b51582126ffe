// Files that a command makes and never replaces.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <utility>

namespace qinglan {

// PERMISSION_DENIED and the like, with the path, when that cannot be found out.
[[nodiscard]] absl::StatusOr<bool> IsThere(const std::string& path);

// A file that is there before what it will tell of is done, and gone again unless something was written to
// it.
class NewFile {
 public:
  // ALREADY_EXISTS when something is in the file already, which is not replaced; INVALID_ARGUMENT when it
  // cannot be made.
  static absl::StatusOr<NewFile> Make(const std::string& path);
  ~NewFile();
  NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  NewFile& operator=(NewFile&&) = delete;

  // On the disk for good when it returns OK. UNAVAILABLE when the disk refuses. Once.
  [[nodiscard]] absl::Status Write(std::string_view content);

 private:
  NewFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_;
};

}  // namespace qinglan
