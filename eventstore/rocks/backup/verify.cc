#include "eventstore/rocks/backup/verify.h"

#include <absl/container/flat_hash_map.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/privacy/key_copy.h"
#include "eventstore/privacy/key_list.h"
#include "eventstore/privacy/sealed_text.h"
#include "eventstore/rocks/backup/restore.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

constexpr size_t kLostKeysMax = 100;  // that are told one by one

// Holds what is sealed in a log against the keys that are with it.
class SealedTexts {
 public:
  explicit SealedTexts(privacy::KeyList keys) : keys_(std::move(keys)) {}

  void Check(Position position, std::string_view stored) {
    privacy::ForEachSealed(stored, [&](const privacy::UnderKey& under) {
      ++count_;
      if (keys_.Find(under.subject, under.version) == privacy::KeyList::Found::kMissing)
        NoteLost(position, under);
    });
  }
  uint64_t count() const { return count_; }
  std::vector<std::string> Problems() const;

 private:
  struct Lost {
    Position first;
    uint64_t texts = 0;
  };
  void NoteLost(Position position, const privacy::UnderKey& under);

  const privacy::KeyList keys_;
  uint64_t count_ = 0;
  std::vector<std::string> lost_keys_;  // in the order in which they were met with
  absl::flat_hash_map<std::string, Lost> lost_;
  uint64_t more_texts_ = 0;  // under other keys that are lost
};

void SealedTexts::NoteLost(Position position, const privacy::UnderKey& under) {
  const std::string key = fmt::format("version {} of the key of {}", under.version, under.subject);
  if (!lost_.contains(key)) {
    if (lost_keys_.size() == kLostKeysMax) {
      ++more_texts_;
      return;
    }
    lost_keys_.push_back(key);
  }
  Lost& lost = lost_[key];
  if (lost.texts++ == 0) lost.first = position;
}

std::vector<std::string> SealedTexts::Problems() const {
  std::vector<std::string> problems;
  for (const std::string& key : lost_keys_) {
    const Lost& lost = lost_.at(key);
    problems.push_back(fmt::format(
        "position {}: {} is not in the backup, nor that it was destroyed; texts sealed under it: {}",
        lost.first.value, key, lost.texts));
  }
  if (more_texts_ > 0)
    problems.push_back(fmt::format("texts whose keys are not in the backup, beside these: {}", more_texts_));
  return problems;
}

// One check of one generation. What it returns as an error is not about the generation.
class Verification {
 public:
  Verification(const BackupDirectory& backups, std::string scratch, const BackupProgress& progress,
               const std::string& keys_directory)
      : backups_(backups),
        scratch_(std::move(scratch)),
        progress_(progress),
        keys_directory_(keys_directory) {}

  absl::StatusOr<VerifiedBackup> Run(uint64_t generation) {
    const absl::StatusOr<BackupManifest> manifest = backups_.Find(generation);
    QL_RETURN_IF_ERROR(Judge(manifest.status()));
    if (!verified_.sound()) return std::move(verified_);
    verified_.manifest = *manifest;
    verified_.keys_elsewhere = manifest->keys_elsewhere && keys_directory_.empty();
    if (!keys_directory_.empty() && manifest->key_files > 0)
      return absl::FailedPreconditionError(fmt::format("generation {} has its own keys", generation));
    QL_RETURN_IF_ERROR(CheckFiles());
    if (verified_.sound()) QL_RETURN_IF_ERROR(RestoreOnTrial(generation));
    verified_.only_given_keys = of_given_keys_ > 0 && of_given_keys_ == verified_.problems.size();
    return std::move(verified_);
  }

 private:
  // Damage is a problem of the generation; any other error ends the check.
  absl::Status Judge(const absl::Status& status) {
    if (!absl::IsDataLoss(status)) return status;
    verified_.problems.emplace_back(Std(status.message()));
    return absl::OkStatus();
  }
  absl::Status CheckFiles();
  absl::Status RestoreOnTrial(uint64_t generation);
  absl::Status CheckLog();
  // What there is of keys. Damage is a problem, and then there are none.
  absl::StatusOr<privacy::KeyList> ReadKeys();
  void TellMissingKeys(const SealedTexts& texts);

  const BackupDirectory& backups_;
  const std::string scratch_;
  const BackupProgress& progress_;
  const std::string& keys_directory_;
  VerifiedBackup verified_;
  size_t of_given_keys_ = 0;  // of its problems
};

absl::Status Verification::CheckFiles() {
  rocks::Pace pace("verify", verified_.manifest.bytes(), 0, progress_);
  for (const BackupFile& file : verified_.manifest.files) {
    QL_RETURN_IF_ERROR(Judge(rocks::CheckCopy(file, rocks::HashFile(backups_.PoolPath(file.pool), pace))));
  }
  return absl::OkStatus();
}

absl::Status Verification::RestoreOnTrial(uint64_t generation) {
  QL_RETURN_IF_ERROR(rocks::RemoveAll(scratch_));
  absl::Status status = Judge(RestoreBackup(backups_, {scratch_, generation}, progress_).status());
  if (status.ok() && verified_.sound()) status = CheckLog();
  QL_RETURN_IF_ERROR(rocks::RemoveAll(scratch_));
  QL_RETURN_IF_ERROR(rocks::RemoveAll(scratch_ + ".partial"));
  return status;
}

absl::StatusOr<privacy::KeyList> Verification::ReadKeys() {
  const std::string restored = scratch_ + "/keys";
  if (!keys_directory_.empty())
    QL_RETURN_IF_ERROR(Judge(privacy::CopyKeyFiles(keys_directory_, restored).status()));
  auto keys = privacy::KeyList::Read(restored);
  if (keys.ok()) return keys;
  QL_RETURN_IF_ERROR(Judge(keys.status()));
  return privacy::KeyList();
}

void Verification::TellMissingKeys(const SealedTexts& texts) {
  for (std::string& problem : texts.Problems()) {
    verified_.problems.push_back(std::move(problem));
    if (!keys_directory_.empty()) ++of_given_keys_;
  }
}

absl::Status Verification::CheckLog() {
  QL_ASSIGN_OR_RETURN(privacy::KeyList keys, ReadKeys());
  if (!keys_directory_.empty()) of_given_keys_ = verified_.problems.size();
  const bool keys_can_be_told = verified_.sound() && !verified_.keys_elsewhere;
  SealedTexts texts(std::move(keys));
  struct {
    std::string phase = "log";
    uint64_t done = 0;
    uint64_t of = 0;
  } at;
  const auto note = [&](std::string_view phase, uint64_t done, uint64_t of) {
    at = {std::string(phase), done, of};
  };
  const auto stop = [&] { return progress_ && !progress_(at.phase, at.done, at.of); };
  const auto visit = [&](Position position, std::string_view stored) { texts.Check(position, stored); };
  const auto fsck = FsckDirectory(scratch_ + "/log", note, stop, scratch_ + "/checkpoints", visit);
  if (!fsck.ok()) return Judge(fsck.status());
  verified_.fsck = *fsck;
  for (const FsckProblem& problem : fsck->problems) {
    const bool placed = problem.position > Position();
    verified_.problems.push_back(placed ? fmt::format("position {}: {}", problem.position.value, problem.what)
                                        : problem.what);
  }
  for (std::string& difference :
       rocks::Differences(verified_.manifest,
                          {fsck->store_id, Position(fsck->events), fsck->last_recorded_at, fsck->root})) {
    verified_.problems.push_back(std::move(difference));
  }
  verified_.sealed_texts = texts.count();
  if (keys_can_be_told) TellMissingKeys(texts);
  return absl::OkStatus();
}

}  // namespace

std::string TrialDirectory(const BackupDirectory& backups) { return backups.path() + "/trial"; }

absl::StatusOr<VerifiedBackup> VerifyBackup(BackupDirectory& backups, uint64_t generation,
                                            const std::string& scratch, const BackupProgress& progress,
                                            const std::string& keys_directory) {
  QL_ASSIGN_OR_RETURN(VerifiedBackup verified,
                      Verification(backups, scratch, progress, keys_directory).Run(generation));
  if (verified.only_given_keys) return verified;
  const absl::Status noted =
      backups.MarkVerified(generation, verified.sound() ? std::optional(absl::Now()) : std::nullopt);
  if (!noted.ok()) spdlog::warn("the verdict on the backup could not be noted: {}", Std(noted.message()));
  return verified;
}

}  // namespace qinglan::eventstore
