// The appraisal area's part of the service table.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::appraisal {

// Serves every rpc of qinglan.appraisal.v1.AppraisalService from the table's store.
void Register(runtime::ServiceTable& table);

}  // namespace qinglan::appraisal
