// Work on a server's backups: one job at a time, on a thread of its own.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventstore/rocks/backup/verify.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "qinglan/operations/v1/backup_service.pb.h"

namespace qinglan::operations {

inline constexpr size_t kJobsRememberedMax = 100;

// What a server backs up, and where to.
struct BackupSetting {
  std::string directory;  // of the backups; empty: the server makes none
  const eventstore::RocksEventStore* store = nullptr;
  // Copies persons' keys, which the server has open, into a directory that it makes.
  std::function<absl::Status(const std::string& directory)> copy_keys;
  std::string keys_directory;    // where they are, when nobody has them open
  std::string checkpoints_file;  // the log's, as the server signs them
};

v1::TrialRestore AsTrial(const eventstore::VerifiedBackup& verified);

// Thread-safe. Its end stops the job that is running and waits for it. Whoever `setting` names must outlive
// it.
class BackupJobs {
 public:
  BackupJobs(BackupSetting setting, std::function<std::string()> new_id)
      : setting_(std::move(setting)), new_id_(std::move(new_id)) {}
  ~BackupJobs();
  BackupJobs(const BackupJobs&) = delete;

  struct Begun {
    std::string job_id;
    bool joined = false;  // the job that was running, with what its own request asked for
  };
  // Begin a job. Errors as the service's.
  absl::StatusOr<Begun> Create(const v1::CreateBackupRequest& request);
  absl::StatusOr<std::string> Verify(const v1::VerifyBackupRequest& request);

  absl::StatusOr<v1::BackupJob> Get(std::string_view job_id) const;
  absl::Status Cancel(std::string_view job_id);
  absl::StatusOr<std::vector<v1::Backup>> List() const;

 private:
  enum class Kind { kCreate, kVerify };
  struct Job {
    Kind kind;
    v1::BackupJob shown;
  };
  using Work = std::function<absl::Status()>;

  absl::Status CheckSetUp() const;
  // The job of this kind that is running, or a new one that does `work`.
  absl::StatusOr<Begun> Begin(Kind kind, Work work);
  void End(const absl::Status& status);
  absl::Status RunCreate(const v1::CreateBackupRequest& request);
  absl::Status RunVerify(uint64_t generation);
  absl::Status RunTrial(eventstore::BackupDirectory& backups, uint64_t generation, bool& sound);
  eventstore::BackupProgress Progress();
  // Changes what is shown of the job that is running.
  void Show(absl::FunctionRef<void(v1::BackupJob&)> change);

  const BackupSetting setting_;
  const std::function<std::string()> new_id_;
  std::atomic<bool> stop_ = false;
  mutable absl::Mutex mutex_;
  std::deque<Job> jobs_
      ABSL_GUARDED_BY(mutex_);  // the last is the newest, and the only one that may be running
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::operations
