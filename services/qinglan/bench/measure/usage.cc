#include "services/qinglan/bench/measure/usage.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace qinglan::bench {
namespace {

constexpr uint64_t kBlockBytes = 512;  // the unit of st_blocks, whatever the file system's own

std::string Folder(pid_t process) { return process == 0 ? "/proc/self" : fmt::format("/proc/{}", process); }

}  // namespace

absl::Duration OwnCpuTime() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

std::optional<absl::Duration> CpuTimeOf(pid_t process) {
  std::ifstream file(Folder(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const size_t name_end = line.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  return absl::Seconds(static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

std::optional<uint64_t> PeakMemoryBytes(pid_t process) {
  constexpr std::string_view kField = "VmHWM:";
  std::ifstream file(Folder(process) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kField)) return std::stoull(line.substr(kField.size())) * 1024;
  }
  return std::nullopt;
}

uint64_t DiskBytes(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat status{};
    if (::lstat(entry->path().c_str(), &status) != 0) continue;  // compacted away meanwhile
    if (S_ISREG(status.st_mode)) bytes += static_cast<uint64_t>(status.st_blocks) * kBlockBytes;
  }
  return bytes;
}

}  // namespace qinglan::bench
