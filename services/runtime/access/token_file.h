// A file with a bearer token that somebody may replace while the process runs.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

namespace qinglan::runtime {

// Thread-safe.
class TokenFile {
 public:
  // So long a token is used before its file is looked at again.
  static constexpr absl::Duration kReadEvery = absl::Seconds(1);

  // INVALID_ARGUMENT when it cannot be read or holds nothing.
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(const std::string& path);

  // The file's token; the last that could be read while it cannot be.
  std::string Token();

 private:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  absl::Time read_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace qinglan::runtime
