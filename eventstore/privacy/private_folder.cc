#include "eventstore/privacy/private_folder.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace qinglan::eventstore::privacy {

void WarnOfOpenFolder(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 || (found.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  spdlog::warn(
      "{}: its group or others may get at what lies in it past all access rules (mode {:04o}); close it to "
      "them: chmod 700 {}",
      path, found.st_mode & ALLPERMS, path);
}

absl::Status MakePrivateFolder(const std::string& path) {
  const std::filesystem::path folder =
      std::filesystem::path(path + "/").parent_path();  // whatever it ends in
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  // Not made first and closed then: who had opened it in between could go on reading.
  if (!error && mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    error.assign(errno, std::generic_category());
  if (!error && !std::filesystem::is_directory(folder, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) return absl::UnavailableError(fmt::format("{}: {}", path, error.message()));
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::privacy
