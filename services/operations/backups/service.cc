#include "services/operations/backups/service.h"

#include "eventstore/check.h"

namespace qinglan::operations {

void RegisterBackups(runtime::ServiceTable& table, BackupJobs& jobs) {
  using runtime::Call;
  table.Query<v1::CreateBackupRequest, v1::CreateBackupResponse>(
      [&jobs](const v1::CreateBackupRequest& request,
              const Call&) -> absl::StatusOr<v1::CreateBackupResponse> {
        v1::CreateBackupResponse response;
        QL_ASSIGN_OR_RETURN(const BackupJobs::Begun begun, jobs.Create(request));
        response.set_job_id(begun.job_id);
        response.set_joined(begun.joined);
        return response;
      });
  table.Query<v1::VerifyBackupRequest, v1::VerifyBackupResponse>(
      [&jobs](const v1::VerifyBackupRequest& request,
              const Call&) -> absl::StatusOr<v1::VerifyBackupResponse> {
        v1::VerifyBackupResponse response;
        QL_ASSIGN_OR_RETURN(*response.mutable_job_id(), jobs.Verify(request));
        return response;
      });
  table.Query<v1::GetBackupJobRequest, v1::GetBackupJobResponse>(
      [&jobs](const v1::GetBackupJobRequest& request,
              const Call&) -> absl::StatusOr<v1::GetBackupJobResponse> {
        v1::GetBackupJobResponse response;
        QL_ASSIGN_OR_RETURN(*response.mutable_job(), jobs.Get(request.job_id()));
        return response;
      });
  table.Query<v1::CancelBackupJobRequest, v1::CancelBackupJobResponse>(
      [&jobs](const v1::CancelBackupJobRequest& request,
              const Call&) -> absl::StatusOr<v1::CancelBackupJobResponse> {
        QL_RETURN_IF_ERROR(jobs.Cancel(request.job_id()));
        return v1::CancelBackupJobResponse();
      });
  table.Query<v1::ListBackupsRequest, v1::ListBackupsResponse>(
      [&jobs](const v1::ListBackupsRequest&, const Call&) -> absl::StatusOr<v1::ListBackupsResponse> {
        QL_ASSIGN_OR_RETURN(const std::vector<v1::Backup> backups, jobs.List());
        v1::ListBackupsResponse response;
        for (const v1::Backup& backup : backups) *response.add_backups() = backup;
        return response;
      });
}

}  // namespace qinglan::operations
