// 梯级: policies and the authorities' decisions.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::progression {

void Register(runtime::ServiceTable& table);

}  // namespace qinglan::progression
