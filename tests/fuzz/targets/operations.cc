// A game of operations, restarts and losses of power against a model (tests/fault/load/game.h), in which
// every decision is the fuzzer's.
#include <gtest/gtest.h>

#include "tests/fault/load/game.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

class FuzzedDice final : public fault::Dice {
 public:
  explicit FuzzedDice(Input input) : input_(input) {}
  uint32_t Below(uint32_t n) override { return static_cast<uint32_t>(input_.Number(n > 256 ? 4 : 1) % n); }
  bool More() override { return !input_.empty(); }

 private:
  Input input_;
};

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const bool kReady = [] {
    testing::FLAGS_gtest_break_on_failure = true;  // what the game expects and does not find is a crash
    qinglan::fault::Hush();
    return true;
  }();
  (void)kReady;
  qinglan::fuzz::FuzzedDice dice(qinglan::fuzz::Input(bytes, size));
  qinglan::fault::Game(dice).Play();
  return 0;
}
