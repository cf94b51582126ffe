// The training area: programmes, sessions, enrolment, attendance, credit hours, the bring-back duty,
// lectures.
#pragma once

#include "services/runtime/service_table.h"

namespace qinglan::training {

// Adds every rpc of TrainingService and CreditService.
void Register(runtime::ServiceTable& table);

}  // namespace qinglan::training
