// `qinglan demo-district`: fills a server with a district's school years, through the public API.
#pragma once

#include <CLI/CLI.hpp>

namespace qinglan::demo {

// Adds the subcommand to `app`; when it is chosen, parsing runs it, and `exit_code` tells how it went.
void AddDemoCommand(CLI::App& app, int& exit_code);

}  // namespace qinglan::demo
