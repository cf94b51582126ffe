// The lesson study area: three services over one set of facts (cycle and reflection, observation, lesson and
// preparation).
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::lessonstudy {

void Register(runtime::ServiceTable& table);

}  // namespace qinglan::lessonstudy
