// `qinglan demo-district`: fills a server with a district's school years, through the public API.
#pragma once

#include "services/qinglan/command_line.h"

namespace qinglan::demo {

void AddDemoDistrict(CLI::App& app, RunCommand& run);

}  // namespace qinglan::demo
