#include "services/runtime/access/token_file.h"

#include <absl/strings/ascii.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::runtime {

bool IsBearerToken(std::string_view text) {
  constexpr std::string_view kOthers = "-._~+/=";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kOthers.find(c) != std::string_view::npos;
  });
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  // Through an iterator a directory, or a disk that fails, would be an exception.
  std::ifstream file(path, std::ios::binary);
  std::ostringstream read;
  if (!file || !(read << file.rdbuf()))
    return absl::InvalidArgumentError(fmt::format("{}: cannot be read, or is empty", path));
  std::string content = std::move(read).str();
  absl::StripAsciiWhitespace(&content);
  if (IsBearerToken(content)) return content;
  return absl::InvalidArgumentError(fmt::format(
      "{}: holds no token, which is one line of letters, digits and -._~+/=, with no mark before it", path));
}

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  QL_ASSIGN_OR_RETURN(std::string token, ReadToken(path));
  return std::unique_ptr<TokenFile>(new TokenFile(path, std::move(token)));
}

std::string TokenFile::Token() {
  const absl::Time now = absl::Now();
  const absl::MutexLock lock(&mutex_);
  if (now - read_ < kReadEvery) return token_;
  read_ = now;
  auto token = ReadToken(path_);
  if (!token.ok() && !warned_)
    spdlog::warn("{}; the token that it held before is used", std::string(token.status().message()));
  warned_ = !token.ok();
  if (token.ok()) token_ = *std::move(token);
  return token_;
}

}  // namespace qinglan::runtime
