// `qinglan verify`: checks an exported portfolio, the receipt of an erasure, a checkpoint, or that one
// continues another, with the public key alone.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/note.h"
#include "eventstore/transparency/proof.h"
#include "services/privacy/receipt.h"
#include "services/qinglan/verify/commands.h"
#include "services/qinglan/verify/consistency_file.h"
#include "services/qinglan/verify/export_file.h"

namespace qinglan {
namespace {

using eventstore::transparency::Checkpoint;
using eventstore::transparency::VerifierKey;

struct VerifyOptions {
  std::string file;
  std::string public_key;
  std::vector<std::string> checkpoints;
  std::string proof;
  std::string language = "zh";

  void Say(std::string_view reason, const std::map<std::string, std::string>& parameters) const {
    fmt::print("{}\n", runtime::Sentence(runtime::ParseLanguage(language), reason, parameters));
  }
};

// The key itself, or a file with it.
absl::StatusOr<VerifierKey> ReadPublicKey(const std::string& given) {
  std::string text = given;
  std::error_code ignored;
  const bool is_file = std::filesystem::exists(given, ignored);
  if (is_file) {
    const auto content = ReadFile(given);
    if (!content.ok())
      return absl::InvalidArgumentError(fmt::format("--public-key: {}", Std(content.status().message())));
    text = *content;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  }
  auto key = VerifierKey::Parse(text);
  if (key.ok()) return key;
  if (text.find("PRIVATE+KEY") != std::string::npos)
    return absl::InvalidArgumentError(
        "--public-key: that is the private key; `log-key` tells its public half");
  return absl::InvalidArgumentError(
      fmt::format("--public-key={}: {}: {}", given,
                  is_file ? "the file holds no public key"
                          : "there is no such file, and it is no public key itself (\"NAME+ID+BASE64\")",
                  Std(key.status().message())));
}

int Refused(const VerifyOptions& options, const absl::Status& why) {
  options.Say("VERIFY_REFUSED", {{"why", std::string(why.message())}});
  return kExitPartly;
}

int VerifyExport(const VerifyOptions& options, const std::string& text, const VerifierKey& key) {
  const auto file = DecodeExport(text);
  if (!file.ok()) return Refused(options, file.status());
  const auto verified = Verify(*file, key);
  if (!verified.ok()) return Refused(options, verified.status());
  options.Say("VERIFY_PORTFOLIO", {{"teacher", verified->teacher_id},
                                   {"as_of", verified->as_of},
                                   {"position", std::to_string(verified->known.value)},
                                   {"events", std::to_string(verified->events)},
                                   {"withheld", std::to_string(verified->withheld)},
                                   {"log", verified->checkpoint.origin},
                                   {"size", std::to_string(verified->checkpoint.head.size)}});
  return kExitOk;
}

absl::StatusOr<Checkpoint> VerifyContinues(const std::string& earlier_note, const std::string& later_note,
                                           const std::string& proof_text, const VerifierKey& key) {
  QL_ASSIGN_OR_RETURN(const Checkpoint earlier, OpenCheckpoint(earlier_note, key));
  QL_ASSIGN_OR_RETURN(Checkpoint later, OpenCheckpoint(later_note, key));
  QL_ASSIGN_OR_RETURN(const auto proof, DecodeConsistency(proof_text));
  QL_RETURN_IF_ERROR(eventstore::transparency::VerifyConsistency(earlier.head, later.head, proof));
  return later;
}

int VerifyCheckpoints(const VerifyOptions& options, const VerifierKey& key) {
  const auto earlier = ReadFile(options.checkpoints[0]);
  if (!earlier.ok()) return Fail("verify", earlier.status());
  const auto later = ReadFile(options.checkpoints[1]);
  if (!later.ok()) return Fail("verify", later.status());
  const auto proof = ReadFile(options.proof);
  if (!proof.ok()) return Fail("verify", proof.status());
  const auto verified = VerifyContinues(*earlier, *later, *proof, key);
  if (!verified.ok()) return Refused(options, verified.status());
  options.Say("VERIFY_CONSISTENT",
              {{"log", verified->origin}, {"size", std::to_string(verified->head.size)}});
  return kExitOk;
}

int VerifyReceipt(const VerifyOptions& options, const std::string& text, const VerifierKey& key) {
  const auto receipt = privacy::OpenReceipt(text, key);
  if (!receipt.ok()) return Refused(options, receipt.status());
  options.Say("VERIFY_RECEIPT", {{"subject", receipt->subject},
                                 {"destroyed_at", receipt->key_destroyed_at},
                                 {"versions", std::to_string(receipt->key_versions)},
                                 {"digest", receipt->key_digest},
                                 {"log", key.name()},
                                 {"position", std::to_string(receipt->position)},
                                 {"recorded_at", receipt->recorded_at}});
  return kExitOk;
}

// A signed note that is no receipt.
bool LooksLikeCheckpoint(const std::string& text) {
  const auto note = eventstore::transparency::ParseNote(text);
  return note.ok() && eventstore::transparency::ParseCheckpointText(note->text).ok();
}

int VerifyCheckpoint(const VerifyOptions& options, const std::string& text, const VerifierKey& key) {
  const auto checkpoint = OpenCheckpoint(text, key);
  if (!checkpoint.ok()) return Refused(options, checkpoint.status());
  options.Say("VERIFY_CHECKPOINT",
              {{"log", checkpoint->origin},
               {"size", std::to_string(checkpoint->head.size)},
               {"root", eventstore::transparency::Base64(checkpoint->head.root.view())}});
  return kExitOk;
}

int RunVerify(const VerifyOptions& options) {
  const auto key = ReadPublicKey(options.public_key);
  if (!key.ok()) return Fail("verify", key.status());
  if (options.file.empty()) return VerifyCheckpoints(options, *key);
  const auto text = ReadFile(options.file);
  if (!text.ok()) return Fail("verify", text.status());
  if (privacy::LooksLikeReceipt(*text)) return VerifyReceipt(options, *text, *key);
  if (LooksLikeCheckpoint(*text)) return VerifyCheckpoint(options, *text, *key);
  return VerifyExport(options, *text, *key);
}

}  // namespace

void AddVerify(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand("verify",
                                     "Checks an exported portfolio, the receipt of an erasure, a checkpoint, "
                                     "or that one checkpoint continues another, offline (exit code 2 when it "
                                     "is refused)");
  auto options = std::make_shared<VerifyOptions>();
  auto* file = command
                   ->add_option("file", options->file,
                                "what `portfolio --export`, `erase --receipt` or `checkpoint --out` wrote")
                   ->check(CLI::ExistingFile);
  command
      ->add_option(
          "--public-key", options->public_key,
          "the log's public key, or a file with it; from somebody you trust, not from the file's sender")
      ->required();
  auto* checkpoints =
      command->add_option("--checkpoint", options->checkpoints, "the earlier one, then the later one")
          ->expected(2)
          ->check(CLI::ExistingFile)
          ->excludes(file);
  auto* proof = command->add_option("--proof", options->proof, "what `checkpoint --proof` wrote")
                    ->check(CLI::ExistingFile)
                    ->needs(checkpoints);
  checkpoints->needs(proof);
  command->add_option("--lang", options->language, "language of messages")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
  command->callback([options, &run] {
    if (options->file.empty() && options->checkpoints.empty()) {
      throw CLI::RequiredError("a file, or --checkpoint twice and --proof");
    }
    run = [options] { return RunVerify(*options); };
  });
}

}  // namespace qinglan
