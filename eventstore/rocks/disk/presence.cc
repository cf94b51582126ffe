#include "eventstore/rocks/disk/presence.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore {

absl::Status FindStore(const std::string& directory) {
  const std::string current = directory + "/CURRENT";
  struct stat there{};
  if (::stat(current.c_str(), &there) == 0) return absl::OkStatus();
  if (errno == ENOENT || errno == ENOTDIR)
    return absl::NotFoundError(fmt::format("{}: no event store here", directory));
  return absl::UnavailableError(fmt::format("{}: {}", current, std::strerror(errno)));
}

namespace rocks {

absl::Status FromLocking(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  // Its words are all that RocksDB tells of why; a file that it could not open to lock it is another matter.
  for (const char* held : {"lock hold by current process", "While lock file"}) {
    if (text.find(held) == std::string::npos) continue;
    return absl::FailedPreconditionError(
        fmt::format("{}: another process has this event store open ({})", directory, text));
  }
  return FromRocks(status, fmt::format("opening {}", directory));
}

}  // namespace rocks
}  // namespace qinglan::eventstore
