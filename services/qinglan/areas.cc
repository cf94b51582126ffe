#include "services/qinglan/areas.h"

#include "services/registry/service.h"

namespace qinglan {

void RegisterWriteAreas(runtime::ServiceTable& table) { registry::Register(table); }

}  // namespace qinglan
