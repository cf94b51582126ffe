// The areas of the product, each registered by its own Register().
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan {

// Every area that records events: registry, training, lesson study, mentoring, research, appraisal,
// progression.
void RegisterWriteAreas(runtime::ServiceTable& table);

}  // namespace qinglan
