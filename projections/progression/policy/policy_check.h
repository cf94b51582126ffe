// Whether a policy says everything that it must: nothing is guessed later.
#pragma once

#include <string>
#include <vector>

#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

struct PolicyFault {
  std::string path;  // "criteria[3].any_of[0].window.period"
  std::string rule;  // a reason: PERIOD_MISSING, UNIT_MISSING, UNIT_UNFIT, SOURCE_MISSING, TEXT_MISSING, ...
};

// Every fault, part by part; none: it can be published. `whole`: a district's own policy, which must have a
// calendar and name its tiers; otherwise it may be a part that a district's fills up. Each number must have a
// unit, a period, and the sentence that asks for it.
std::vector<PolicyFault> CheckPolicy(const v1::Policy& policy, bool whole);

}  // namespace qinglan::progression
