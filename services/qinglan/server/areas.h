// The areas of the product, each registered by its own Register().
#pragma once

#include "services/privacy/service.h"
#include "services/runtime/service_table.h"

namespace qinglan {

// Every area that records events: registry, training, lesson study, mentoring, research, appraisal,
// progression, privacy. `sign` signs what the privacy area hands out.
void RegisterWriteAreas(runtime::ServiceTable& table, privacy::Sign sign = nullptr);

}  // namespace qinglan
