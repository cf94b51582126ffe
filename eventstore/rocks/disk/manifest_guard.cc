#include "eventstore/rocks/disk/manifest_guard.h"

#include <rocksdb/file_system.h>

#include <atomic>
#include <string>
#include <utility>

namespace qinglan::eventstore::rocks {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class Manifest final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  Manifest(std::unique_ptr<rocksdb::FSWritableFile> file, std::atomic<bool>& unsure)
      : FSWritableFileOwnerWrapper(std::move(file)), unsure_(unsure) {}

  IOStatus Append(const rocksdb::Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Append(bytes, options, debug));
  }
  IOStatus Append(const rocksdb::Slice& bytes, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Append(bytes, options, info, debug));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Flush(options, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }

 private:
  IOStatus Note(IOStatus status) {
    if (!status.ok()) unsure_ = true;
    return status;
  }

  std::atomic<bool>& unsure_;  // the file system's, which outlives its files
};

class Guard final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "ManifestGuard"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    const bool is_manifest = path.rfind("/MANIFEST-") != std::string::npos;
    if (status.ok() && is_manifest) *file = std::make_unique<Manifest>(std::move(*file), unsure_);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    if (unsure_ && path.ends_with(".sst")) return IOStatus::OK();
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok() && to.ends_with("/CURRENT")) unsure_ = false;
    return status;
  }

 private:
  std::atomic<bool> unsure_ = false;
};

}  // namespace

std::unique_ptr<rocksdb::Env> GuardManifest(rocksdb::Env& env) {
  return rocksdb::NewCompositeEnv(std::make_shared<Guard>(env.GetFileSystem()));
}

}  // namespace qinglan::eventstore::rocks
