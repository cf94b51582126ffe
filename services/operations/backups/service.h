// The BackupService: work on a server's backups, for whoever runs the installation.
#pragma once

#include "services/operations/backups/jobs.h"
#include "services/runtime/service_table.h"

namespace qinglan::operations {

// `jobs` must outlive the table.
void RegisterBackups(runtime::ServiceTable& table, BackupJobs& jobs);

}  // namespace qinglan::operations
