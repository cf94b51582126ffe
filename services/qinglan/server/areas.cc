#include "services/qinglan/server/areas.h"

#include <utility>

#include "services/appraisal/service.h"
#include "services/lessonstudy/service.h"
#include "services/mentoring/service.h"
#include "services/progression/service.h"
#include "services/registry/service.h"
#include "services/requests/service.h"
#include "services/research/service.h"
#include "services/training/service.h"

namespace qinglan {

void RegisterWriteAreas(runtime::ServiceTable& table, privacy::Sign sign) {
  registry::Register(table);
  lessonstudy::Register(table);
  mentoring::Register(table);
  research::Register(table);
  appraisal::Register(table);
  training::Register(table);
  progression::Register(table);
  requests::Register(table);
  privacy::Register(table, std::move(sign));
}

}  // namespace qinglan
