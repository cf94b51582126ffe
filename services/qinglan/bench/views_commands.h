// Those of `qinglan bench` that measure views.
#pragma once

#include "services/qinglan/command_line.h"

namespace qinglan::bench {

void AddViewsBenches(CLI::App& bench, RunCommand& run);

}  // namespace qinglan::bench
