// A file with a bearer token that somebody may replace while the process runs.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>

namespace qinglan::runtime {

// Whether this may stand behind "Bearer " (RFC 6750's b64token). gRPC ends the process that sends metadata
// with a line break or a byte that is no ASCII, and prints it.
bool IsBearerToken(std::string_view text);

// The token in a file, without the space around it. INVALID_ARGUMENT, which names the file and never quotes
// it, when it cannot be read or holds something else: a private key is soon given for a token.
absl::StatusOr<std::string> ReadToken(const std::string& path);

// Thread-safe.
class TokenFile {
 public:
  // So long a token is used before its file is looked at again.
  static constexpr absl::Duration kReadEvery = absl::Seconds(1);

  // Errors as ReadToken().
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(const std::string& path);

  // The file's token; the last that was one while it holds none, of which a warning is logged.
  std::string Token();

 private:
  TokenFile(std::string path, std::string token) : path_(std::move(path)), token_(std::move(token)) {}

  const std::string path_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  bool warned_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time read_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace qinglan::runtime
