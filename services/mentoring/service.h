// The mentoring area 青蓝结对.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::mentoring {

void Register(runtime::ServiceTable& table);

}  // namespace qinglan::mentoring
