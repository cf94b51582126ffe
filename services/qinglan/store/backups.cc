#include "services/qinglan/store/backups.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>

#include "eventstore/rocks/backup/manifest.h"

namespace qinglan::store {

CLI::Validator WholeNumber(uint64_t least, uint64_t most) {
  const auto check = [least, most](const std::string& value) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    if (whole && number >= least && number <= most) return std::string();
    return most == UINT64_MAX ? fmt::format("{} is no whole number from {} on", value, least)
                              : fmt::format("{} is no whole number from {} to {}", value, least, most);
  };
  return CLI::Validator(check, "", "whole number");
}

void Speech::AddTo(CLI::App& command) {
  AddOutputOption(command, output);
  command.add_option("--lang", language, "language of messages")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
}

std::string Speech::Sentence(std::string_view reason,
                             const std::map<std::string, std::string>& parameters) const {
  return runtime::Sentence(runtime::ParseLanguage(language), reason, parameters);
}

void Speech::Say(std::string_view reason, const std::map<std::string, std::string>& parameters) const {
  if (!json()) fmt::print(to, "{}\n", Sentence(reason, parameters));
}

void Speech::Say(const operations::v1::TrialRestore& trial, uint64_t generation) const {
  if (trial.sound()) {
    Say("BACKUP_SOUND", {{"generation", std::to_string(generation)},
                         {"events", std::to_string(trial.events())},
                         {"commits", std::to_string(trial.commits())},
                         {"postings", std::to_string(trial.postings())}});
    return Say(trial.keys_elsewhere() ? "BACKUP_KEYS_NOT_SOUGHT" : "BACKUP_KEYS_FOUND",
               {{"texts", std::to_string(trial.sealed_texts())}});
  }
  Say("BACKUP_BROKEN",
      {{"generation", std::to_string(generation)}, {"count", std::to_string(trial.problems_size())}});
  if (json()) return;
  for (const std::string& problem : trial.problems()) fmt::print(to, "  {}\n", problem);
}

bool Speech::shows_progress() const { return !json() && isatty(STDERR_FILENO) == 1; }

eventstore::BackupProgress Speech::Progress() const {
  if (!shows_progress()) return nullptr;
  return [](std::string_view phase, uint64_t done, uint64_t of) {
    fmt::print(stderr, "\r{}: {} / {}        ", phase, done, of);
    return true;
  };
}

void Speech::EndProgress() const {
  if (shows_progress()) fmt::print(stderr, "\n");
}

std::string InWords(uint64_t bytes) {
  constexpr uint64_t kThousand = 1000;
  if (bytes < kThousand) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / kThousand;
  size_t unit = 0;
  constexpr std::string_view kUnits[] = {"kB", "MB", "GB", "TB"};
  for (; amount >= kThousand && unit + 1 < std::size(kUnits); ++unit) amount /= kThousand;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string InWords(const google::protobuf::Timestamp& instant) {
  return eventstore::InstantText(absl::FromUnixSeconds(instant.seconds()) +
                                 absl::Nanoseconds(instant.nanos()));
}

namespace {

nlohmann::json ToJson(const operations::v1::Backup& backup) {
  nlohmann::json json = {{"generation", backup.generation()}};
  if (backup.kept()) json["kept"] = true;
  if (backup.damaged()) {
    json["damaged"] = true;
    return json;
  }
  json["made_at"] = InWords(backup.made_at());
  json["position"] = backup.position();
  json["store_id"] = backup.store_id();
  json["bytes"] = backup.bytes();
  json["key_files"] = backup.key_files();
  if (!backup.merkle_root().empty()) json["merkle_root"] = backup.merkle_root();
  if (backup.has_verified_at()) json["verified_at"] = InWords(backup.verified_at());
  return json;
}

nlohmann::json ToJson(const operations::v1::TrialRestore& trial) {
  nlohmann::json problems = nlohmann::json::array();
  for (const std::string& problem : trial.problems()) problems.push_back(problem);
  return {{"sound", trial.sound()},
          {"events", trial.events()},
          {"commits", trial.commits()},
          {"postings", trial.postings()},
          {"sealed_texts", trial.sealed_texts()},
          {"keys_elsewhere", trial.keys_elsewhere()},
          {"problems", problems}};
}

}  // namespace

void PrintJson(const operations::v1::BackupJob& job, bool joined) {
  nlohmann::json json = ToJson(job.backup());
  json["files_copied"] = job.files_copied();
  json["bytes_copied"] = job.bytes_copied();
  json["generations_removed"] = job.generations_removed();
  json["joined"] = joined;
  if (job.has_trial()) json["trial_restore"] = ToJson(job.trial());
  fmt::print("{}\n", json.dump(2));
}

void PrintJson(const std::vector<operations::v1::Backup>& backups) {
  nlohmann::json json = nlohmann::json::array();
  for (const operations::v1::Backup& backup : backups) json.push_back(ToJson(backup));
  fmt::print("{}\n", json.dump(2));
}

void PrintJson(const operations::v1::TrialRestore& trial, uint64_t generation) {
  nlohmann::json json = ToJson(trial);
  json["generation"] = generation;
  fmt::print("{}\n", json.dump(2));
}

}  // namespace qinglan::store
