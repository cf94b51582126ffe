#include "tests/fault/disk/disk.h"

#include <pthread.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace qinglan::fault {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Whether this is a thread that RocksDB has for its flushes and compactions.
bool IsOfRocksDb() {
  char name[16] = "";
  (void)pthread_getname_np(pthread_self(), name, sizeof(name));
  return std::string_view(name).starts_with("rocksdb:");
}

IOStatus PowerIsOff() { return IOStatus::IOError("the power is off"); }

}  // namespace

// A file that is written from front to back, or over what a file that is used again held before.
class Disk::WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(Disk& disk, std::string path, ContentPtr content, uint64_t offset,
               std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        disk_(disk),
        path_(std::move(path)),
        content_(std::move(content)),
        offset_(offset) {}

  using FSWritableFileOwnerWrapper::Append;
  using FSWritableFileOwnerWrapper::PositionedAppend;
  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Write(data, offset_, [&](const Slice& fits) { return target()->Append(fits, options, debug); });
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            IODebugContext* debug) override {
    return Write(data, offset,
                 [&](const Slice& fits) { return target()->PositionedAppend(fits, offset, options, debug); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    disk_.storage_.Truncating(*content_, size);
    offset_ = size;
    return target()->Truncate(size, options, debug);
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return disk_.Sync(path_, *content_); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return disk_.Sync(path_, *content_); }
  // A hint to begin writing, no promise.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  // Room set aside beforehand is outside this disk's book-keeping.
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}
  IOStatus Allocate(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  template <class Do>
  IOStatus Write(const Slice& data, uint64_t offset, Do write) {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    const uint64_t fits = disk_.RoomFor(*content_, offset, data.size());
    disk_.storage_.Writing(*content_, offset, fits);
    IOStatus status = write(Slice(data.data(), fits));
    offset_ = offset + fits;
    if (status.ok() && fits < data.size()) {
      ++disk_.failures_;
      status = IOStatus::NoSpace("the disk is full", path_);
    }
    return status;
  }

  Disk& disk_;
  const std::string path_;
  const ContentPtr content_;
  uint64_t offset_;
};

// A file that is written anywhere.
class Disk::RandomFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  RandomFile(Disk& disk, std::string path, ContentPtr content, std::unique_ptr<rocksdb::FSRandomRWFile> file)
      : FSRandomRWFileOwnerWrapper(std::move(file)),
        disk_(disk),
        path_(std::move(path)),
        content_(std::move(content)) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions& options,
                 IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    if (disk_.RoomFor(*content_, offset, data.size()) < data.size()) {
      ++disk_.failures_;
      return IOStatus::NoSpace("the disk is full", path_);
    }
    disk_.storage_.Writing(*content_, offset, data.size());
    return FSRandomRWFileOwnerWrapper::Write(offset, data, options, debug);
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return disk_.Sync(path_, *content_); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return disk_.Sync(path_, *content_); }

 private:
  Disk& disk_;
  const std::string path_;
  const ContentPtr content_;
};

class Disk::ReadFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadFile(Disk& disk, std::string path, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    if (IOStatus status = disk_.AllowRead(path_); !status.ok()) return status;
    return FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, debug);
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t n, const IOOptions& options,
                     IODebugContext* debug) override {
    if (IOStatus status = disk_.AllowRead(path_); !status.ok()) {
      for (size_t i = 0; i < n; ++i) requests[i].status = status;
      return status;
    }
    return FSRandomAccessFileOwnerWrapper::MultiRead(requests, n, options, debug);
  }

 private:
  Disk& disk_;
  const std::string path_;
};

class Disk::Folder final : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(Disk& disk, std::string path, std::unique_ptr<rocksdb::FSDirectory> folder)
      : FSDirectoryWrapper(std::move(folder)), disk_(disk), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    disk_.storage_.SyncedFolder(path_);
    return IOStatus::OK();
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  Disk& disk_;
  const std::string path_;
};

class Disk::Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(Disk& disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
  const char* Name() const override { return "FaultyDisk"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    // A file that was there is another file from now on, not the same one emptied.
    if (disk_.storage_.Find(path) != nullptr) (void)target()->DeleteFile(path, {}, debug);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    if (IOStatus status = target()->NewWritableFile(path, options, &file, debug); !status.ok()) return status;
    *result = std::make_unique<WritableFile>(disk_, path, disk_.storage_.Created(path), uint64_t{0},
                                             std::move(file));
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    if (IOStatus status = target()->ReopenWritableFile(path, options, &file, debug); !status.ok())
      return status;
    ContentPtr content = disk_.storage_.Find(path);
    if (content == nullptr) content = disk_.storage_.Created(path);
    const uint64_t end = content->size();
    *result = std::make_unique<WritableFile>(disk_, path, std::move(content), end, std::move(file));
    return IOStatus::OK();
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    IOStatus status = target()->ReuseWritableFile(path, old_path, options, &file, debug);
    if (!status.ok()) return status;
    disk_.storage_.Renamed(old_path, path);
    *result =
        std::make_unique<WritableFile>(disk_, path, disk_.storage_.Find(path), uint64_t{0}, std::move(file));
    return IOStatus::OK();
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    std::unique_ptr<rocksdb::FSRandomRWFile> file;
    if (IOStatus status = target()->NewRandomRWFile(path, options, &file, debug); !status.ok()) return status;
    ContentPtr content = disk_.storage_.Find(path);
    if (content == nullptr) content = disk_.storage_.Created(path);
    *result = std::make_unique<RandomFile>(disk_, path, std::move(content), std::move(file));
    return IOStatus::OK();
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    if (IOStatus status = target()->NewRandomAccessFile(path, options, &file, debug); !status.ok())
      return status;
    *result = std::make_unique<ReadFile>(disk_, path, std::move(file));
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> folder;
    if (IOStatus status = target()->NewDirectory(path, options, &folder, debug); !status.ok()) return status;
    *result = std::make_unique<Folder>(disk_, path, std::move(folder));
    return IOStatus::OK();
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    return Change([&] { return target()->DeleteFile(path, options, debug); },
                  [&] { disk_.storage_.Removed(path); });
  }
  IOStatus RenameFile(const std::string& path, const std::string& new_path, const IOOptions& options,
                      IODebugContext* debug) override {
    return Change([&] { return target()->RenameFile(path, new_path, options, debug); },
                  [&] { disk_.storage_.Renamed(path, new_path); });
  }
  IOStatus LinkFile(const std::string& path, const std::string& new_path, const IOOptions& options,
                    IODebugContext* debug) override {
    return Change([&] { return target()->LinkFile(path, new_path, options, debug); },
                  [&] { disk_.storage_.Linked(path, new_path); });
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    return Change(
        [&] {
          if (const ContentPtr content = disk_.storage_.Find(path); content != nullptr)
            disk_.storage_.Truncating(*content, size);
          return target()->Truncate(path, size, options, debug);
        },
        [] {});
  }
  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, uint64_t* bytes,
                        IODebugContext* debug) override {
    const std::lock_guard lock(disk_.mutex_);
    if (!disk_.room_.has_value()) return target()->GetFreeSpace(path, options, bytes, debug);
    const uint64_t used = disk_.storage_.bytes();
    *bytes = *disk_.room_ > used ? *disk_.room_ - used : 0;
    return IOStatus::OK();
  }

 private:
  template <class Do, class Note>
  IOStatus Change(Do change, Note note) {
    const std::lock_guard lock(disk_.mutex_);
    if (IOStatus status = disk_.Allow(); !status.ok()) return status;
    IOStatus status = change();
    if (status.ok()) note();
    return status;
  }

  Disk& disk_;
};

Disk::Disk(const std::string& folder)
    : storage_(folder), env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(*this))) {}

Disk::~Disk() = default;

bool Disk::Fault::Strikes(const std::string& path) {
  if (times == 0 || path.substr(path.rfind('/') + 1).find(name) == std::string::npos) return false;
  if (good > 0) {
    --good;
    return false;
  }
  --times;
  return true;
}

IOStatus Disk::Allow() {
  if (!dead_ && changes_left_.has_value()) {
    if (*changes_left_ == 0) Die();
    *changes_left_ -= dead_ ? 0 : 1;
  }
  if (!dead_ || death_ == Death::kSilent) return IOStatus::OK();
  ++failures_;
  return PowerIsOff();
}

void Disk::Die() {
  dead_ = true;
  storage_.Freeze();
  held_or_let_go_.notify_all();
}

IOStatus Disk::Sync(const std::string& path, Content& content) {
  std::unique_lock lock(mutex_);
  const StableStorage::Mark mark = storage_.Syncing(content);
  if (held_.has_value() && path.ends_with(*held_)) {
    ++waiting_;
    held_or_let_go_.notify_all();
    held_or_let_go_.wait(lock, [&] { return !held_.has_value() || let_go_ > 0 || dead_; });
    --waiting_;
    if (held_.has_value() && let_go_ > 0) --let_go_;
  }
  if (IOStatus status = Allow(); !status.ok()) return status;
  if (sync_fault_.Strikes(path)) {
    ++failures_;
    storage_.SyncFailed(content);
    return IOStatus::IOError("a sync failed", path);
  }
  if (!lied_about_.has_value() || !path.ends_with(*lied_about_)) storage_.Synced(content, mark);
  return IOStatus::OK();
}

IOStatus Disk::AllowRead(const std::string& path) {
  if (IsOfRocksDb()) return IOStatus::OK();
  held_read_.Pass(path);
  const std::lock_guard lock(mutex_);
  if (read_fault_.times == 0) return IOStatus::OK();
  if (!read_fault_.Strikes(path)) return IOStatus::OK();
  ++failures_;
  return IOStatus::IOError("a read failed", path);
}

uint64_t Disk::RoomFor(const Content& content, uint64_t offset, uint64_t length) const {
  if (!room_.has_value()) return length;
  const uint64_t in_place = offset < content.size() ? std::min(length, content.size() - offset) : 0;
  const uint64_t used = storage_.bytes();
  const uint64_t free = *room_ > used ? *room_ - used : 0;
  return std::min(length, in_place + free);
}

void Disk::CutPower(Death death) {
  const std::lock_guard lock(mutex_);
  if (dead_) return;
  death_ = death;
  Die();
}

void Disk::CutPowerAfter(uint64_t changes, Death death) {
  const std::lock_guard lock(mutex_);
  changes_left_ = changes;
  death_ = death;
}

bool Disk::dead() const {
  const std::lock_guard lock(mutex_);
  return dead_;
}

uint64_t Disk::LosePower(Loss loss, std::mt19937& random) {
  const std::lock_guard lock(mutex_);
  const uint64_t bytes = storage_.unsynced_bytes();
  storage_.LosePower(loss, random);
  dead_ = false;
  lied_about_.reset();
  held_.reset();
  changes_left_.reset();
  return bytes;
}

void Disk::SetRoom(std::optional<uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
}

uint64_t Disk::used() const {
  const std::lock_guard lock(mutex_);
  return storage_.bytes();
}

void Disk::FailSyncs(std::string name, int times) {
  const std::lock_guard lock(mutex_);
  sync_fault_ = {std::move(name), 0, times};
}

void Disk::LieAboutSyncs(std::string suffix) {
  const std::lock_guard lock(mutex_);
  lied_about_ = std::move(suffix);
}

void Disk::FailReadsAfter(std::string name, uint64_t good, int times) {
  const std::lock_guard lock(mutex_);
  read_fault_ = {std::move(name), good, times};
}

uint64_t Disk::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void Disk::HoldSyncs(std::string suffix) {
  const std::lock_guard lock(mutex_);
  held_ = std::move(suffix);
  let_go_ = 0;
}

void Disk::AwaitHeldSync() {
  std::unique_lock lock(mutex_);
  held_or_let_go_.wait(lock, [&] { return waiting_ > 0; });
}

void Disk::LetOneSyncGo() {
  const std::lock_guard lock(mutex_);
  ++let_go_;
  held_or_let_go_.notify_all();
}

void Disk::LetSyncsGo() {
  const std::lock_guard lock(mutex_);
  held_.reset();
  held_or_let_go_.notify_all();
}

}  // namespace qinglan::fault
