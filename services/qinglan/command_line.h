// The subcommands of the one binary. Each Add...() declares its options on the app and, when it is the one
// that was asked for, leaves in `run` what to do; `run` gives the process's exit code.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/transport/client.h"

namespace qinglan {

using RunCommand = std::function<int()>;

// Exit codes of every subcommand.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // it could not be done
inline constexpr int kExitPartly = 2;  // done, but something was refused or found wrong; the output says what

void AddServe(CLI::App& app, RunCommand& run);
void AddToken(CLI::App& app, RunCommand& run);
void AddFsck(CLI::App& app, RunCommand& run);
void AddBackup(CLI::App& app, RunCommand& run);
void AddRestore(CLI::App& app, RunCommand& run);
void AddVerifyBackup(CLI::App& app, RunCommand& run);
void AddImport(CLI::App& app, RunCommand& run);
void AddPortfolio(CLI::App& app, RunCommand& run);
void AddViews(CLI::App& app, RunCommand& run);
void AddKeys(CLI::App& app, RunCommand& run);
void AddErase(CLI::App& app, RunCommand& run);
void AddHold(CLI::App& app, RunCommand& run);

// --output=text|json
enum class Output { kText, kJson };
void AddOutputOption(CLI::App& command, Output& output);

// --server, --token-file, --lang, for subcommands that call a server.
struct ServerOption {
  std::string target = "127.0.0.1:7410";
  std::string token_file;
  std::string language = "zh";
  absl::Duration timeout = absl::Seconds(30);  // of a call

  void AddTo(CLI::App& command);
  // INVALID_ARGUMENT when the token file cannot be read or holds no token; UNAVAILABLE when nobody answers.
  absl::StatusOr<runtime::Client> Connect(int channels = 1) const;
};

// "qinglan SUBCOMMAND: what went wrong" on standard error. Returns kExitFailed.
int Fail(std::string_view subcommand, const absl::Status& status);

absl::StatusOr<std::string> ReadFile(const std::string& path);
// The file is new or replaced, whole or not at all; readable by its owner only when it is secret.
absl::Status WriteFile(const std::string& path, std::string_view content, bool secret);

}  // namespace qinglan
