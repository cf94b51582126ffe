#include "eventstore/rocks/backup/verify.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/restore.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

// One check of one generation. What it returns as an error is not about the generation.
class Verification {
 public:
  Verification(const BackupDirectory& backups, std::string scratch, const BackupProgress& progress)
      : backups_(backups), scratch_(std::move(scratch)), progress_(progress) {}

  absl::StatusOr<VerifiedBackup> Run(uint64_t generation) {
    const absl::StatusOr<BackupManifest> manifest = backups_.Find(generation);
    QL_RETURN_IF_ERROR(Judge(manifest.status()));
    if (!verified_.sound()) return std::move(verified_);
    verified_.manifest = *manifest;
    QL_RETURN_IF_ERROR(CheckFiles());
    if (verified_.sound()) QL_RETURN_IF_ERROR(RestoreOnTrial(generation));
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

  const BackupDirectory& backups_;
  const std::string scratch_;
  const BackupProgress& progress_;
  VerifiedBackup verified_;
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

absl::Status Verification::CheckLog() {
  struct {
    std::string phase = "log";
    uint64_t done = 0;
    uint64_t of = 0;
  } at;
  const auto note = [&](std::string_view phase, uint64_t done, uint64_t of) {
    at = {std::string(phase), done, of};
  };
  const auto stop = [&] { return progress_ && !progress_(at.phase, at.done, at.of); };
  const auto fsck = FsckDirectory(scratch_ + "/log", note, stop, scratch_ + "/checkpoints");
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
  return absl::OkStatus();
}

}  // namespace

std::string TrialDirectory(const BackupDirectory& backups) { return backups.path() + "/trial"; }

absl::StatusOr<VerifiedBackup> VerifyBackup(BackupDirectory& backups, uint64_t generation,
                                            const std::string& scratch, const BackupProgress& progress) {
  QL_ASSIGN_OR_RETURN(VerifiedBackup verified, Verification(backups, scratch, progress).Run(generation));
  const absl::Status noted =
      backups.MarkVerified(generation, verified.sound() ? std::optional(absl::Now()) : std::nullopt);
  if (!noted.ok()) spdlog::warn("the verdict on the backup could not be noted: {}", Std(noted.message()));
  return verified;
}

}  // namespace qinglan::eventstore
