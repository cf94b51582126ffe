// The registry's rpcs. Its queries fold the log at the time of asking: a person or an organisation has few
// events of its own.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::registry {

void Register(runtime::ServiceTable& table);

}  // namespace qinglan::registry
