// `qinglan log-key`: the key that signs the log's checkpoints.
#include <fmt/format.h>
#include <sys/stat.h>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/qinglan/keys/new_file.h"
#include "services/qinglan/verify/commands.h"

namespace qinglan {
namespace {

using eventstore::transparency::SigningKey;

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

struct LogKeyOptions {
  std::string new_file;
  std::string name;
  std::string show_file;
};

int RunLogKey(const LogKeyOptions& options) {
  if (!options.show_file.empty()) {
    const auto key = ReadLogKey(options.show_file);
    if (!key.ok()) return Fail("log-key", key.status());
    fmt::print("{}\n", key->verifier().Text());
    return kExitOk;
  }
  const auto is_there = IsThere(options.new_file);
  if (!is_there.ok()) return Fail("log-key", is_there.status());
  if (*is_there) {
    return Fail("log-key", absl::AlreadyExistsError(
                               fmt::format("{} is there already; it is not replaced", options.new_file)));
  }
  const auto key = SigningKey::Generate(options.name);
  if (!key.ok()) return Fail("log-key", key.status());
  const absl::Status written = WriteFile(options.new_file, key->Text() + "\n", true);
  if (!written.ok()) return Fail("log-key", written);
  fmt::print("{}\n", key->verifier().Text());
  return kExitOk;
}

}  // namespace

absl::StatusOr<SigningKey> ReadLogKey(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) == 0 && (file.st_mode & kOthers) != 0) {
    return absl::PermissionDeniedError(
        fmt::format("{}: others than its owner may read it; chmod 600 it, or make a new key", path));
  }
  QL_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto key = SigningKey::Parse(text);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, Std(key.status().message())));
}

void AddLogKey(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "log-key", "Makes the key that signs the log's checkpoints, and prints its public half");
  auto options = std::make_shared<LogKeyOptions>();
  auto* name = command->add_option(
      "--name", options->name, "the log's name for ever, such as records.example.cn/log; no space, no plus");
  auto* new_file =
      command
          ->add_option("--new", options->new_file,
                       "file to write the private key to, readable by its owner only; never replaced")
          ->needs(name)
          ->type_name("FILE");
  auto* show =
      command->add_option("--show", options->show_file, "print the public half of this private key instead")
          ->excludes(new_file)
          ->type_name("FILE");
  command->callback([options, new_file, show, &run] {
    if (new_file->count() == 0 && show->count() == 0) throw CLI::RequiredError("--new and --name, or --show");
    run = [options] { return RunLogKey(*options); };
  });
}

}  // namespace qinglan
