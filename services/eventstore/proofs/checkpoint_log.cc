#include "services/eventstore/proofs/checkpoint_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::proofs {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

std::string Encode(const SignedCheckpoint& checkpoint) {
  nlohmann::ordered_json line;
  line["size"] = checkpoint.size;
  line["signed_at"] = absl::FormatTime(kTimeFormat, checkpoint.signed_at, absl::UTCTimeZone());
  line["note"] = checkpoint.note;
  return line.dump() + "\n";
}

bool Decode(std::string_view line, SignedCheckpoint& checkpoint) {
  const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("size") || !parsed["size"].is_number_unsigned()) return false;
  if (!parsed.contains("note") || !parsed["note"].is_string()) return false;
  if (!parsed.contains("signed_at") || !parsed["signed_at"].is_string()) return false;
  checkpoint.size = parsed["size"];
  checkpoint.note = parsed["note"];
  return absl::ParseTime(kTimeFormat, parsed["signed_at"].get<std::string>(), &checkpoint.signed_at, nullptr);
}

// A file that was made is there after a power cut only when its directory is synced, too.
absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const int file = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  return synced ? absl::OkStatus() : absl::UnavailableError(fmt::format("{}: cannot be synced", directory));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointLog>> CheckpointLog::Open(std::string path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
  std::unique_ptr<CheckpointLog> log(new CheckpointLog(std::move(path), file));
  QL_RETURN_IF_ERROR(SyncDirectoryOf(log->path_));
  QL_RETURN_IF_ERROR(log->Load());
  return log;
}

CheckpointLog::~CheckpointLog() { ::close(file_); }

absl::Status CheckpointLog::Load() {
  const absl::MutexLock lock(&mutex_);
  std::string rest;
  std::string chunk(kReadBytes, '\0');
  SignedCheckpoint checkpoint;
  for (uint64_t offset = 0;;) {
    const ssize_t bytes = ::pread(file_, chunk.data(), chunk.size(), static_cast<off_t>(offset));
    if (bytes < 0) return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
    if (bytes == 0) break;
    offset += static_cast<uint64_t>(bytes);
    rest.append(chunk, 0, static_cast<size_t>(bytes));
    size_t begin = 0;
    for (size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const bool in_order = Decode(std::string_view(rest).substr(begin, end - begin), checkpoint) &&
                            (entries_.empty() || checkpoint.size > entries_.back().size);
      if (!in_order) {
        return absl::DataLossError(fmt::format("{}, line {}: no checkpoint that follows the one before",
                                               path_, entries_.size() + 1));
      }
      entries_.push_back({checkpoint.size, end_});
      end_ += end + 1 - begin;
    }
    rest.erase(0, begin);
  }
  if (!rest.empty() && ::ftruncate(file_, static_cast<off_t>(end_)) != 0) {
    return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status CheckpointLog::Append(const SignedCheckpoint& checkpoint) {
  const absl::MutexLock lock(&mutex_);
  QL_CHECK(entries_.empty() || checkpoint.size > entries_.back().size,
           "checkpoints are kept in order of size");
  const std::string line = Encode(checkpoint);
  const ssize_t written = ::pwrite(file_, line.data(), line.size(), static_cast<off_t>(end_));
  if (written != static_cast<ssize_t>(line.size()) || ::fdatasync(file_) != 0) {
    // What reached the file is no whole line, or will be written over: the next one begins at the same place.
    const std::string why =
        written < 0 || written == static_cast<ssize_t>(line.size()) ? std::strerror(errno) : "no space";
    if (::ftruncate(file_, static_cast<off_t>(end_)) != 0)
      return absl::UnavailableError(path_ + ": is broken");
    return absl::UnavailableError(fmt::format("{}: {}", path_, why));
  }
  entries_.push_back({checkpoint.size, end_});
  end_ += line.size();
  return absl::OkStatus();
}

absl::StatusOr<SignedCheckpoint> CheckpointLog::ReadAt(size_t entry) const {
  const uint64_t begin = entries_[entry].offset;
  const uint64_t end = entry + 1 < entries_.size() ? entries_[entry + 1].offset : end_;
  std::string line(end - begin - 1, '\0');
  SignedCheckpoint checkpoint;
  const ssize_t bytes = ::pread(file_, line.data(), line.size(), static_cast<off_t>(begin));
  if (bytes != static_cast<ssize_t>(line.size()) || !Decode(line, checkpoint)) {
    return absl::DataLossError(fmt::format("{}, line {}: is not what was written", path_, entry + 1));
  }
  return checkpoint;
}

absl::StatusOr<std::vector<SignedCheckpoint>> CheckpointLog::Read(uint64_t after_size, size_t limit) const {
  const absl::MutexLock lock(&mutex_);
  const auto first = std::upper_bound(entries_.begin(), entries_.end(), after_size,
                                      [](uint64_t size, const Entry& entry) { return size < entry.size; });
  std::vector<SignedCheckpoint> checkpoints;
  for (auto i = static_cast<size_t>(first - entries_.begin());
       i < entries_.size() && checkpoints.size() < limit; ++i) {
    QL_ASSIGN_OR_RETURN(SignedCheckpoint checkpoint, ReadAt(i));
    checkpoints.push_back(std::move(checkpoint));
  }
  return checkpoints;
}

absl::StatusOr<std::optional<SignedCheckpoint>> CheckpointLog::Last() const {
  const absl::MutexLock lock(&mutex_);
  if (entries_.empty()) return std::optional<SignedCheckpoint>();
  QL_ASSIGN_OR_RETURN(SignedCheckpoint checkpoint, ReadAt(entries_.size() - 1));
  return checkpoint;
}

}  // namespace qinglan::proofs
