#include "services/eventstore/proofs/checkpoint_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/transparency/note.h"

namespace qinglan::proofs {
namespace {

using eventstore::transparency::CheckpointFileEnd;
using eventstore::transparency::LineSum;
using eventstore::transparency::VerifierKey;

// A file that was made is there after a power cut only when its directory is synced, too.
absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const int file = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  return synced ? absl::OkStatus() : absl::UnavailableError(fmt::format("{}: cannot be synced", directory));
}

std::string TornFileOf(const std::string& path) { return path + ".torn"; }

enum class Signature { kGood, kBad, kOfAnotherKey };

Signature Check(const SignedCheckpoint& checkpoint, const VerifierKey& key) {
  const auto note = eventstore::transparency::ParseNote(checkpoint.note);
  if (!note.ok() || note->signatures.empty()) return Signature::kBad;
  const auto& signature = note->signatures.front();
  if (signature.key_name != key.name() || signature.key_id != key.id()) return Signature::kOfAnotherKey;
  return key.Verifies(note->text, signature.signature) ? Signature::kGood : Signature::kBad;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointLog>> CheckpointLog::Open(std::string path, const VerifierKey& key) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
  std::unique_ptr<CheckpointLog> log(new CheckpointLog(std::move(path), file));
  // Two that write one file would each put their lines over the other's.
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return absl::UnavailableError(fmt::format("{}: {}", log->path_, std::strerror(errno)));
    return absl::FailedPreconditionError(fmt::format(
        "{}: another process signs into it; each process that has a log key needs a --data of its own",
        log->path_));
  }
  QL_RETURN_IF_ERROR(SyncDirectoryOf(log->path_));
  QL_RETURN_IF_ERROR(log->Load(key));
  return log;
}

CheckpointLog::~CheckpointLog() { ::close(file_); }

absl::Status CheckpointLog::Load(const VerifierKey& key) {
  const absl::MutexLock lock(&mutex_);
  std::vector<Entry> entries;
  size_t vouched_for = 0;  // by a checksum, their own or a later one
  std::string origin;      // of the last
  QL_ASSIGN_OR_RETURN(const CheckpointFileEnd end,
                      eventstore::transparency::ReadCheckpointFile(
                          file_, path_, [&](const KeptCheckpoint& kept, uint64_t offset) -> absl::Status {
                            entries.push_back({kept.checkpoint.size, offset, kept.sum});
                            if (kept.has_checksum) vouched_for = entries.size();
                            origin = kept.said.origin;
                            return absl::OkStatus();
                          }));
  entries_ = std::move(entries);
  end_ = end.bytes;
  missing_ = end.missing;
  if (!entries_.empty()) {
    QL_RETURN_IF_ERROR(Verify(std::min(vouched_for, entries_.size() - 1), key));
    if (origin != key.name()) {
      return absl::FailedPreconditionError(fmt::format(
          "{}: this log has signed as {}; the key is of {}. Whoever kept a checkpoint could not follow it",
          path_, origin, key.name()));
    }
  }
  return Mend(end);
}

absl::Status CheckpointLog::Mend(const CheckpointFileEnd& end) {
  if (end.torn_bytes == 0 && missing_.empty()) return absl::OkStatus();
  QL_RETURN_IF_ERROR(KeepTorn(end));
  const auto missing = static_cast<ssize_t>(missing_.size());
  const bool written = ::pwrite(file_, missing_.data(), missing_.size(), static_cast<off_t>(end_)) == missing;
  end_ += missing_.size();
  if (!written || ::ftruncate(file_, static_cast<off_t>(end_)) != 0 || ::fsync(file_) != 0)
    return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
  if (missing > 0) {
    spdlog::warn("{}, line {}: its writing was cut short; it was whole and is kept", path_, end.lines);
  } else {
    spdlog::warn("{}, line {}: its writing was cut short, nobody was shown it; {} bytes are cut off, see {}",
                 path_, end.lines + 1, end.torn_bytes, TornFileOf(path_));
  }
  missing_.clear();
  return absl::OkStatus();
}

// Damage within a note that seems to have no end cannot be told from a write that was cut short.
absl::Status CheckpointLog::KeepTorn(const CheckpointFileEnd& end) const {
  std::string torn(end.torn_bytes, '\0');
  if (::pread(file_, torn.data(), torn.size(), static_cast<off_t>(end.bytes)) !=
      static_cast<ssize_t>(torn.size()))
    return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
  torn.erase(torn.find_last_not_of('\0') + 1);
  if (torn.empty()) return absl::OkStatus();
  torn += '\n';
  const std::string path = TornFileOf(path_);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool kept = file >= 0 &&
                    ::write(file, torn.data(), torn.size()) == static_cast<ssize_t>(torn.size()) &&
                    ::fsync(file) == 0;
  const absl::Status status =
      kept ? absl::OkStatus() : absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
  if (file >= 0) ::close(file);
  QL_RETURN_IF_ERROR(status);
  return SyncDirectoryOf(path);
}

absl::Status CheckpointLog::Verify(size_t first, const VerifierKey& key) const {
  size_t unverified = 0;
  for (size_t i = first; i < entries_.size(); ++i) {
    QL_ASSIGN_OR_RETURN(const KeptCheckpoint kept, ReadAt(i));
    const Signature signature = Check(kept.checkpoint, key);
    if (signature == Signature::kBad)
      return absl::DataLossError(fmt::format("{}, line {}: its signature is not the key's", path_, i + 1));
    if (signature == Signature::kOfAnotherKey && !kept.has_checksum) ++unverified;
  }
  if (unverified > 0) {
    spdlog::warn("{}: {} checkpoints have no checksum and are signed by another key: nothing verifies them",
                 path_, unverified);
  }
  return absl::OkStatus();
}

LineSum CheckpointLog::SumBefore(size_t entry) const {
  return entry == 0 ? LineSum::kOfNone : entries_[entry - 1].sum;
}

absl::Status CheckpointLog::Append(const SignedCheckpoint& checkpoint) {
  const absl::MutexLock lock(&mutex_);
  if (broken_) return absl::UnavailableError(path_ + ": is broken since a write failed; start again");
  if (!entries_.empty() && checkpoint.size <= entries_.back().size) {
    return absl::FailedPreconditionError(
        fmt::format("{}: a checkpoint of size {} is kept already", path_, entries_.back().size));
  }
  const std::string line = CheckpointLine(checkpoint, SumBefore(entries_.size()));
  const auto kept = eventstore::transparency::ParseCheckpointLine(
      std::string_view(line).substr(0, line.size() - 1), SumBefore(entries_.size()));
  QL_CHECK(kept.ok(), "what is written can be read");
  const ssize_t written = ::pwrite(file_, line.data(), line.size(), static_cast<off_t>(end_));
  if (written != static_cast<ssize_t>(line.size()) || ::fdatasync(file_) != 0) {
    // What reached the file is no whole line, or will be written over: the next one begins at the same place.
    const std::string why =
        written < 0 || written == static_cast<ssize_t>(line.size()) ? std::strerror(errno) : "no space";
    broken_ = ::ftruncate(file_, static_cast<off_t>(end_)) != 0;
    return absl::UnavailableError(fmt::format("{}: {}", path_, why));
  }
  entries_.push_back({checkpoint.size, end_, kept->sum});
  end_ += line.size();
  return absl::OkStatus();
}

absl::StatusOr<KeptCheckpoint> CheckpointLog::ReadAt(size_t entry) const {
  const uint64_t begin = entries_[entry].offset;
  const uint64_t end = entry + 1 < entries_.size() ? entries_[entry + 1].offset : end_;
  std::string line(end - begin, '\0');
  const ssize_t bytes = ::pread(file_, line.data(), line.size(), static_cast<off_t>(begin));
  if (bytes < 0) return absl::UnavailableError(fmt::format("{}: {}", path_, std::strerror(errno)));
  const bool whole = bytes == static_cast<ssize_t>(line.size());
  if (entry + 1 == entries_.size()) line += missing_;
  if (whole && line.ends_with('\n')) {
    line.pop_back();
    auto kept = eventstore::transparency::ParseCheckpointLine(line, SumBefore(entry));
    if (kept.ok() && kept->sum == entries_[entry].sum) return kept;
  }
  return absl::DataLossError(fmt::format("{}, line {}: is not what was written", path_, entry + 1));
}

absl::StatusOr<std::vector<SignedCheckpoint>> CheckpointLog::Read(uint64_t after_size, size_t limit) const {
  const absl::MutexLock lock(&mutex_);
  const auto first = std::upper_bound(entries_.begin(), entries_.end(), after_size,
                                      [](uint64_t size, const Entry& entry) { return size < entry.size; });
  std::vector<SignedCheckpoint> checkpoints;
  for (auto i = static_cast<size_t>(first - entries_.begin());
       i < entries_.size() && checkpoints.size() < limit; ++i) {
    QL_ASSIGN_OR_RETURN(KeptCheckpoint kept, ReadAt(i));
    checkpoints.push_back(std::move(kept.checkpoint));
  }
  return checkpoints;
}

absl::StatusOr<std::optional<KeptCheckpoint>> CheckpointLog::Last() const {
  const absl::MutexLock lock(&mutex_);
  if (entries_.empty()) return std::optional<KeptCheckpoint>();
  QL_ASSIGN_OR_RETURN(KeptCheckpoint kept, ReadAt(entries_.size() - 1));
  return kept;
}

}  // namespace qinglan::proofs
