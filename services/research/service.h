// The research area's part of the service table.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::research {

// Serves every rpc of qinglan.research.v1.ResearchService from the table's store.
void Register(runtime::ServiceTable& table);

}  // namespace qinglan::research
