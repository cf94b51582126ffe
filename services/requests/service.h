// What became of requests that were sent before.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::requests {

void Register(runtime::ServiceTable& table);

}  // namespace qinglan::requests
