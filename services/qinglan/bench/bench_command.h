// `qinglan bench`: what this machine and this log can do, measured by whoever wants to know.
#pragma once

#include "services/qinglan/command_line.h"

namespace qinglan::bench {

void AddBench(CLI::App& app, RunCommand& run);

}  // namespace qinglan::bench
