#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app{"Qinglan 青蓝: an event-sourced record of teachers' professional growth"};
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
