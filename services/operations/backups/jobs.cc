#include "services/operations/backups/jobs.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/create.h"
#include "services/runtime/decision.h"

namespace qinglan::operations {
namespace {

using eventstore::BackupDirectory;

constexpr uint64_t kMegabyte = 1000 * 1000;

google::protobuf::Timestamp AsTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t micros = absl::ToUnixMicros(time);
  timestamp.set_seconds(micros / 1'000'000);
  timestamp.set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  return timestamp;
}

v1::Backup AsBackup(const eventstore::BackupManifest& manifest) {
  v1::Backup backup;
  backup.set_generation(manifest.generation);
  *backup.mutable_made_at() = AsTimestamp(manifest.made_at);
  backup.set_position(manifest.head.value);
  backup.set_store_id(manifest.store_id);
  backup.set_bytes(manifest.bytes());
  backup.set_key_files(static_cast<uint32_t>(manifest.key_files));
  backup.set_merkle_root(manifest.merkle_root);
  return backup;
}

v1::Backup AsBackup(const eventstore::BackupGeneration& generation) {
  v1::Backup backup;
  if (generation.manifest.ok()) backup = AsBackup(*generation.manifest);
  backup.set_generation(generation.number);
  backup.set_damaged(!generation.manifest.ok());
  backup.set_kept(generation.kept);
  if (generation.verified_at.has_value())
    *backup.mutable_verified_at() = AsTimestamp(*generation.verified_at);
  return backup;
}

}  // namespace

v1::TrialRestore AsTrial(const eventstore::VerifiedBackup& verified) {
  v1::TrialRestore trial;
  trial.set_sound(verified.sound());
  trial.set_events(verified.fsck.events);
  trial.set_commits(verified.fsck.commits);
  trial.set_postings(verified.fsck.postings);
  trial.set_sealed_texts(verified.sealed_texts);
  trial.set_keys_elsewhere(verified.keys_elsewhere);
  for (const std::string& problem : verified.problems) trial.add_problems(problem);
  return trial;
}

BackupJobs::~BackupJobs() {
  stop_ = true;
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

absl::Status BackupJobs::CheckSetUp() const {
  return setting_.directory.empty() ? runtime::Refuse("BACKUPS_NOT_SET_UP") : absl::OkStatus();
}

absl::StatusOr<BackupJobs::Begun> BackupJobs::Create(const v1::CreateBackupRequest& request) {
  QL_RETURN_IF_ERROR(CheckSetUp());
  return Begin(Kind::kCreate, [this, request] { return RunCreate(request); });
}

absl::StatusOr<std::string> BackupJobs::Verify(const v1::VerifyBackupRequest& request) {
  QL_ASSIGN_OR_RETURN(const std::vector<v1::Backup> backups, List());
  uint64_t generation = request.generation();
  if (generation == 0 && !backups.empty()) generation = backups.back().generation();
  const bool known = std::any_of(backups.begin(), backups.end(),
                                 [&](const v1::Backup& backup) { return backup.generation() == generation; });
  if (!known) return runtime::Missing("generation", "UNKNOWN_BACKUP");
  QL_ASSIGN_OR_RETURN(const Begun begun,
                      Begin(Kind::kVerify, [this, generation] { return RunVerify(generation); }));
  return begun.job_id;
}

absl::StatusOr<BackupJobs::Begun> BackupJobs::Begin(Kind kind, Work work) {
  absl::MutexLock lock(&mutex_);
  if (!jobs_.empty() && jobs_.back().shown.state() == v1::BACKUP_JOB_STATE_RUNNING) {
    if (kind == Kind::kCreate && jobs_.back().kind == kind) return Begun{jobs_.back().shown.job_id(), true};
    return runtime::Refuse("BACKUP_JOB_RUNNING", {{"job_id", jobs_.back().shown.job_id()}});
  }
  if (thread_.joinable()) thread_.join();  // it has ended, but for its last lines
  Job job{kind, {}};
  job.shown.set_job_id(new_id_());
  job.shown.set_state(v1::BACKUP_JOB_STATE_RUNNING);
  jobs_.push_back(job);
  if (jobs_.size() > kJobsRememberedMax) jobs_.pop_front();
  stop_ = false;
  thread_ = std::thread([this, work = std::move(work)] { End(work()); });
  return Begun{job.shown.job_id()};
}

void BackupJobs::End(const absl::Status& status) {
  if (!status.ok()) spdlog::error("work on the backups failed: {}", status.ToString());
  Show([&](v1::BackupJob& job) {
    job.set_state(status.ok()                 ? v1::BACKUP_JOB_STATE_DONE
                  : absl::IsCancelled(status) ? v1::BACKUP_JOB_STATE_CANCELLED
                                              : v1::BACKUP_JOB_STATE_FAILED);
    if (!status.ok()) job.set_error(std::string(status.message()));
  });
}

void BackupJobs::Show(absl::FunctionRef<void(v1::BackupJob&)> change) {
  absl::MutexLock lock(&mutex_);
  change(jobs_.back().shown);
}

eventstore::BackupProgress BackupJobs::Progress() {
  return [this](std::string_view phase, uint64_t done, uint64_t of) {
    Show([&](v1::BackupJob& job) {
      job.set_phase(std::string(phase));
      job.set_done(done);
      job.set_of(of);
    });
    return !stop_;
  };
}

absl::Status BackupJobs::RunCreate(const v1::CreateBackupRequest& request) {
  QL_ASSIGN_OR_RETURN(const auto backups, BackupDirectory::OpenForWriting(setting_.directory));
  eventstore::CreateBackupOptions options;
  options.keys_directory = setting_.keys_directory;
  options.checkpoints_file = setting_.checkpoints_file;
  options.copy_keys = setting_.copy_keys;
  options.bytes_per_second_max = request.megabytes_per_second_max() * kMegabyte;
  options.diverged = request.diverged();
  QL_ASSIGN_OR_RETURN(const eventstore::CreatedBackup created,
                      eventstore::CreateBackup(*setting_.store, *backups, options, Progress()));
  Show([&](v1::BackupJob& job) {
    *job.mutable_backup() = AsBackup(created.manifest);
    job.set_files_copied(created.files_copied);
    job.set_bytes_copied(created.bytes_copied);
  });
  bool good = true;
  if (!request.skip_trial_restore())
    QL_RETURN_IF_ERROR(RunTrial(*backups, created.manifest.generation, good));
  if (request.keep() == 0 || !good) return absl::OkStatus();
  QL_ASSIGN_OR_RETURN(const size_t removed, backups->Purge(request.keep()));
  Show([&](v1::BackupJob& job) { job.set_generations_removed(static_cast<uint32_t>(removed)); });
  return absl::OkStatus();
}

absl::Status BackupJobs::RunVerify(uint64_t generation) {
  QL_ASSIGN_OR_RETURN(const auto backups, BackupDirectory::OpenExisting(setting_.directory, true));
  bool sound = false;
  return RunTrial(*backups, generation, sound);
}

absl::Status BackupJobs::RunTrial(BackupDirectory& backups, uint64_t generation, bool& sound) {
  QL_ASSIGN_OR_RETURN(
      const eventstore::VerifiedBackup verified,
      eventstore::VerifyBackup(backups, generation, eventstore::TrialDirectory(backups), Progress()));
  sound = verified.sound();
  for (const std::string& problem : verified.problems)
    spdlog::error("generation {} of the backups is not sound: {}", generation, problem);
  QL_ASSIGN_OR_RETURN(const std::vector<v1::Backup> all, List());
  Show([&](v1::BackupJob& job) {
    *job.mutable_trial() = AsTrial(verified);
    for (const v1::Backup& backup : all) {
      if (backup.generation() == generation) *job.mutable_backup() = backup;
    }
  });
  return absl::OkStatus();
}

absl::StatusOr<v1::BackupJob> BackupJobs::Get(std::string_view job_id) const {
  absl::MutexLock lock(&mutex_);
  for (const Job& job : jobs_) {
    if (job.shown.job_id() == job_id) return job.shown;
  }
  return runtime::Missing("job_id", "UNKNOWN_BACKUP_JOB");
}

absl::Status BackupJobs::Cancel(std::string_view job_id) {
  QL_ASSIGN_OR_RETURN(const v1::BackupJob job, Get(job_id));
  absl::MutexLock lock(&mutex_);
  // Of the newest only: it may be running, and no other is.
  if (jobs_.back().shown.job_id() == job.job_id()) stop_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Backup>> BackupJobs::List() const {
  QL_RETURN_IF_ERROR(CheckSetUp());
  const auto generations = BackupDirectory::Peek(setting_.directory);
  if (absl::IsNotFound(generations.status())) return std::vector<v1::Backup>();
  if (!generations.ok()) return generations.status();
  std::vector<v1::Backup> backups;
  const size_t skip = generations->size() - std::min(generations->size(), eventstore::kBackupsKeptMax);
  for (size_t i = skip; i < generations->size(); ++i) backups.push_back(AsBackup((*generations)[i]));
  return backups;
}

}  // namespace qinglan::operations
