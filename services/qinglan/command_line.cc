#include "services/qinglan/command_line.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "eventstore/check.h"
#include "services/runtime/access/token_file.h"

namespace qinglan {

void AddOutputOption(CLI::App& command, Output& output) {
  command.add_option("--output", output, "text for people, json for scripts")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Output>{{"text", Output::kText}, {"json", Output::kJson}}))
      ->type_name("text|json");
}

namespace {

// Until it is told what is waited for, and after that until it is given up: 10 seconds in all.
constexpr absl::Duration kSilence = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(9);

}  // namespace

void ServerOption::AddTo(CLI::App& command) {
  command.add_option("--server", target, "HOST:PORT of the server")->capture_default_str();
  command.add_option("--token-file", token_file, "file with the bearer token (never on the command line)")
      ->required();
  command.add_option("--lang", language, "language of messages")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
}

absl::StatusOr<runtime::Client> ServerOption::Connect(int channels) const {
  auto token = runtime::ReadToken(token_file);
  if (!token.ok()) {
    return absl::InvalidArgumentError(fmt::format("--token-file: {}", std::string(token.status().message())));
  }
  runtime::ClientOptions options;
  options.target = target;
  options.token = *std::move(token);
  options.language = language;
  options.channels = channels;
  options.timeout = timeout;
  runtime::Client client(options);
  if (client.WaitUntilServing(kSilence).ok()) return client;
  fmt::print(stderr, "qinglan: {} does not answer yet\n", target);
  QL_RETURN_IF_ERROR(client.WaitUntilServing(kPatience));
  return client;
}

int Fail(std::string_view subcommand, const absl::Status& status) {
  fmt::print(stderr, "qinglan {}: {}\n", subcommand, std::string(status.message()));
  return kExitFailed;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream content;
  if (!stream || !(content << stream.rdbuf())) {
    return absl::InvalidArgumentError(fmt::format("{}: cannot be read", path));
  }
  return content.str();
}

absl::Status WriteFile(const std::string& path, std::string_view content, bool secret) {
  const std::string partial = path + ".partial";
  // A secret goes into no file that was there before: somebody else may have it open, or own it.
  if (secret) ::unlink(partial.c_str());
  const int how = secret ? O_EXCL | O_NOFOLLOW : O_TRUNC;
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, secret ? 0600 : 0644);
  if (file < 0) return absl::InvalidArgumentError(fmt::format("{}: cannot be written", path));
  const bool written =
      ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(file) == 0;
  ::close(file);
  if (!written || std::rename(partial.c_str(), path.c_str()) != 0) {
    return absl::InvalidArgumentError(fmt::format("{}: cannot be written", path));
  }
  return absl::OkStatus();
}

}  // namespace qinglan
