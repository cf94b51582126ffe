#include "eventstore/rocks/disk/presence.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

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
namespace {

// Its words are all that RocksDB tells of why it took no lock, errno's own at the end. A file that it could
// not open to lock it, or a file system that has no locks, is another matter.
bool IsHeld(std::string_view text) {
  if (text.find("lock hold by current process") != text.npos) return true;
  return text.find("While lock file") != text.npos &&
         (text.ends_with(std::strerror(EAGAIN)) || text.ends_with(std::strerror(EACCES)));
}

}  // namespace

absl::Status FromLocking(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  if (!IsHeld(text)) return FromRocks(status, fmt::format("opening {}", directory));
  return absl::FailedPreconditionError(
      fmt::format("{}: another process has this event store open ({})", directory, text));
}

}  // namespace rocks
}  // namespace qinglan::eventstore
