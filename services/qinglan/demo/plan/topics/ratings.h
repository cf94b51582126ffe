// The yearly rating of one teacher 年度考核, 师德 among its dimensions, and its delivery. Years before the
// demo's are negative.
#pragma once

#include <vector>

#include "services/qinglan/demo/plan/plan.h"

namespace qinglan::demo {

void AddRatings(const Plan& plan, int teacher, int school, int year, std::vector<Lane>& lanes);

}  // namespace qinglan::demo
