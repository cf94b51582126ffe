#include "services/runtime/access/token_file.h"

#include <absl/strings/ascii.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace qinglan::runtime {

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  if (!std::ifstream(path)) return absl::InvalidArgumentError(fmt::format("{}: cannot be read", path));
  std::unique_ptr<TokenFile> file(new TokenFile(path));
  if (file->Token().empty()) return absl::InvalidArgumentError(fmt::format("{}: holds no token", path));
  return file;
}

std::string TokenFile::Token() {
  const absl::Time now = absl::Now();
  const absl::MutexLock lock(&mutex_);
  if (now - read_ < kReadEvery) return token_;
  read_ = now;
  std::ifstream file(path_);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  absl::StripAsciiWhitespace(&content);
  if (!content.empty()) token_ = std::move(content);
  return token_;
}

}  // namespace qinglan::runtime
