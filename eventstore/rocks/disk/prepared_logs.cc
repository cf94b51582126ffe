#include "eventstore/rocks/disk/prepared_logs.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

namespace qinglan::eventstore::rocks {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::array<char, kPreparedBytes> kZeros{};

// One name for one place.
std::string Tidy(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

// Written by one thread at a time, as RocksDB does.
class Log final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using Size = std::shared_ptr<std::atomic<uint64_t>>;

  Log(std::unique_ptr<rocksdb::FSWritableFile> file, Size size)
      : FSWritableFileOwnerWrapper(std::move(file)), size_(std::move(size)) {}

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    const uint64_t at = *size_;
    if (at + bytes.size() > prepared_ && bytes.size() <= kSmallWriteBytes) Prepare(at, options, debug);
    IOStatus status = target()->PositionedAppend(bytes, at, options, debug);
    if (status.ok()) *size_ = at + bytes.size();
    return status;
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = target()->Truncate(size, options, debug);
    if (status.ok()) *size_ = prepared_ = size;
    return status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    // Only to save room: what reads the file finds its end without it.
    if (*size_ < prepared_) (void)target()->Truncate(*size_, options, debug);
    return target()->Close(options, debug);
  }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return *size_; }

 private:
  // Zeros from the end on. They reach the disk with the next sync. No room for them is no error: then the
  // file grows with each write, as far as there is any.
  void Prepare(uint64_t end, const IOOptions& options, IODebugContext* debug) {
    const uint64_t from = std::max(end, prepared_);
    const Slice zeros(kZeros.data(), end + kPreparedBytes - from);
    if (target()->PositionedAppend(zeros, from, options, debug).ok()) prepared_ = from + zeros.size();
  }

  const Size size_;        // of what was written
  uint64_t prepared_ = 0;  // up to here the file reaches
};

// Ends early.
class ReadLog final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  ReadLog(std::unique_ptr<rocksdb::FSSequentialFile> file, uint64_t end)
      : FSSequentialFileOwnerWrapper(std::move(file)), left_(end) {}

  IOStatus Read(size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = target()->Read(std::min<uint64_t>(n, left_), options, result, scratch, debug);
    if (status.ok()) left_ -= result->size();
    return status;
  }
  IOStatus Skip(uint64_t n) override {
    n = std::min(n, left_);
    left_ -= n;
    return target()->Skip(n);
  }

 private:
  uint64_t left_;
};

class PreparedLogs final : public rocksdb::FileSystemWrapper {
 public:
  PreparedLogs(const std::shared_ptr<rocksdb::FileSystem>& target, const WalEnds& ends)
      : FileSystemWrapper(target) {
    for (const auto& [path, end] : ends) ends_[Tidy(path)] = end;
  }
  const char* Name() const override { return "PreparedLogs"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    IOStatus status = target()->NewWritableFile(path, options, file, debug);
    if (!status.ok() || !path.ends_with(".log")) return status;
    auto size = std::make_shared<std::atomic<uint64_t>>(0);
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [](const auto& log) { return log.second.expired(); });
    open_[Tidy(path)] = size;
    ends_.erase(Tidy(path));
    *file = std::make_unique<Log>(std::move(*file), std::move(size));
    return status;
  }
  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    IOStatus status = target()->NewSequentialFile(path, options, file, debug);
    if (!status.ok()) return status;
    if (const auto end = EndOf(path); end.has_value())
      *file = std::make_unique<ReadLog>(std::move(*file), end->records);
    return status;
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions& options, uint64_t* size,
                       IODebugContext* debug) override {
    IOStatus status = target()->GetFileSize(path, options, size, debug);
    if (const auto end = EndOf(path); status.ok() && end.has_value()) *size = end->written;
    return status;
  }

 private:
  std::optional<WalEnd> EndOf(const std::string& path) const {
    if (!path.ends_with(".log")) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(Tidy(path)); found != open_.end()) {
      if (const auto size = found->second.lock(); size != nullptr) return WalEnd{*size, *size};
    }
    if (const auto found = ends_.find(Tidy(path)); found != ends_.end()) return found->second;
    return std::nullopt;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<std::atomic<uint64_t>>> open_;  // logs that are written
  WalEnds ends_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> PrepareLogs(rocksdb::Env& env, const WalEnds& ends) {
  return rocksdb::NewCompositeEnv(std::make_shared<PreparedLogs>(env.GetFileSystem(), ends));
}

}  // namespace qinglan::eventstore::rocks
