// `qinglan token`: tokens and keys for development and demonstration. In production an identity provider
// signs them.
#include <absl/time/clock.h>
#include <fmt/format.h>

#include <filesystem>

#include "eventstore/check.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/keys/new_file.h"
#include "services/runtime/access/keys.h"
#include "services/runtime/access/tokens.h"

namespace qinglan {
namespace {

struct TokenOptions {
  std::string new_keys;
  std::string key_file;
  std::string user;
  std::string teacher_id;
  std::vector<std::string> roles;
  int hours = 12;
  std::string out;
};

constexpr char kPrivateKeyFile[] = "private.pem";
constexpr char kKeySetFile[] = "jwks.json";

absl::Status MakeKeys(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return absl::ErrnoToStatus(error.value(), directory);
  const std::string private_path = directory + "/" + kPrivateKeyFile;
  QL_ASSIGN_OR_RETURN(const bool is_there, IsThere(private_path));
  if (is_there) {
    return absl::AlreadyExistsError(fmt::format("{} is there already; it is not replaced", private_path));
  }
  QL_ASSIGN_OR_RETURN(const runtime::KeyPair keys, runtime::NewKeyPair());
  QL_RETURN_IF_ERROR(WriteFile(directory + "/" + kKeySetFile, keys.jwks_json, false));
  return WriteFile(private_path, keys.private_pem, true);
}

absl::StatusOr<runtime::RoleAt> ParseRoleAt(const std::string& text) {
  const size_t at = text.find('@');
  const rules::v1::Role role = runtime::ParseRole(text.substr(0, at));
  if (role == rules::v1::ROLE_UNSPECIFIED) {
    return absl::InvalidArgumentError(fmt::format("--role={}: no such role; e.g. hr_reviewer@ORG_ID", text));
  }
  return runtime::RoleAt{role, at == std::string::npos ? "" : text.substr(at + 1)};
}

absl::StatusOr<std::string> Mint(const TokenOptions& options) {
  runtime::Principal principal{options.user, options.teacher_id, {}};
  for (const std::string& text : options.roles) {
    QL_ASSIGN_OR_RETURN(runtime::RoleAt role, ParseRoleAt(text));
    principal.roles.push_back(std::move(role));
  }
  QL_ASSIGN_OR_RETURN(const std::string private_pem, ReadFile(options.key_file));
  const absl::Time now = absl::Now();
  return runtime::MintToken(private_pem, principal, now, now + absl::Hours(options.hours));
}

int RunToken(const TokenOptions& options) {
  if (!options.new_keys.empty()) {
    const absl::Status made = MakeKeys(options.new_keys);
    return made.ok() ? kExitOk : Fail("token", made);
  }
  const auto token = Mint(options);
  if (!token.ok()) return Fail("token", token.status());
  if (options.out.empty()) {
    fmt::print("{}\n", *token);
    return kExitOk;
  }
  const absl::Status written = WriteFile(options.out, *token + "\n", true);
  return written.ok() ? kExitOk : Fail("token", written);
}

}  // namespace

void AddToken(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand("token", "Makes signing keys and tokens for development");
  auto options = std::make_shared<TokenOptions>();
  auto* keys =
      command
          ->add_option("--new-keys", options->new_keys,
                       "make DIR/private.pem and DIR/jwks.json (ES256) and end; never replaces a key")
          ->type_name("DIR");
  auto* key =
      command->add_option("--key", options->key_file, "the private key that signs")->type_name("FILE");
  auto* user = command->add_option("--user", options->user,
                                   "opaque id of the user; becomes the actor of what they record");
  command->add_option("--teacher", options->teacher_id, "the user's own teacher id, when they are a teacher");
  command->add_option(
      "--role", options->roles,
      "ROLE@ORG_ID, or ROLE for the whole installation; may be repeated. Roles: teacher, mentor, "
      "training_centre, research_office, school_leader, hr_reviewer, district_admin, auditor, operator");
  command->add_option("--hours", options->hours, "how long it is valid")
      ->check(CLI::Range(1, 24 * 366))
      ->capture_default_str();
  command->add_option("--out", options->out,
                      "file to write it to, readable by its owner only; default: standard output");
  command->callback([keys, key, user, options, &run] {
    if (keys->count() == 0 && (key->count() == 0 || user->count() == 0)) {
      throw CLI::RequiredError("--new-keys, or --key and --user");
    }
    run = [options] { return RunToken(*options); };
  });
}

}  // namespace qinglan
