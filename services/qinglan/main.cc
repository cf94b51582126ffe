#include "services/qinglan/command_line.h"
#include "services/qinglan/demo/demo_command.h"

int main(int argc, char** argv) {
  CLI::App app{"Qinglan 青蓝: an event-sourced record of teachers' professional growth", "qinglan"};
  app.require_subcommand(1);
  qinglan::RunCommand run;
  qinglan::AddServe(app, run);
  qinglan::AddToken(app, run);
  qinglan::AddFsck(app, run);
  qinglan::AddPortfolio(app, run);
  qinglan::demo::AddDemoDistrict(app, run);
  qinglan::AddImport(app, run);
  CLI11_PARSE(app, argc, argv);
  return run();
}
