#include <malloc.h>

#include "services/qinglan/bench/bench_command.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/demo/demo_command.h"
#include "services/qinglan/verify/commands.h"

namespace {

// Buffers of some hundred KiB come and go with every message of events. The C library would hand each back to
// the system and have its pages faulted in again, which takes more than half the time of a replay.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
  mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
  mallopt(M_TOP_PAD, 1024 * 1024);
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  CLI::App app{"Qinglan 青蓝: an event-sourced record of teachers' professional growth", "qinglan"};
  app.require_subcommand(1);
  qinglan::RunCommand run;
  qinglan::AddServe(app, run);
  qinglan::AddToken(app, run);
  qinglan::AddFsck(app, run);
  qinglan::AddBackup(app, run);
  qinglan::AddRestore(app, run);
  qinglan::AddVerifyBackup(app, run);
  qinglan::AddKeys(app, run);
  qinglan::AddErase(app, run);
  qinglan::AddHold(app, run);
  qinglan::AddPortfolio(app, run);
  qinglan::demo::AddDemoDistrict(app, run);
  qinglan::AddImport(app, run);
  qinglan::AddLogKey(app, run);
  qinglan::AddCheckpoint(app, run);
  qinglan::AddVerify(app, run);
  qinglan::bench::AddBench(app, run);
  qinglan::AddViews(app, run);
  CLI11_PARSE(app, argc, argv);
  return run();
}
