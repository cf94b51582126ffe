// Random games of operations, restarts and losses of power against a model (tests/fault/load/game.h).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/fault/load/evidence.h"
#include "tests/fault/load/game.h"

namespace qinglan::fault {
namespace {

constexpr int64_t kGamesInCi = 2;
constexpr int kOperations = 800;

class RandomDice final : public Dice {
 public:
  explicit RandomDice(uint32_t seed) : random_(seed) {}
  uint32_t Below(uint32_t n) override { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random_); }
  bool More() override { return left_-- > 0; }

 private:
  std::mt19937 random_;
  int left_ = kOperations;
};

TEST(ModelTest, RandomOperationsAgreeWithTheModel) {
  Hush();
  Evidence evidence("model");
  const int64_t games = Amount("QINGLAN_FAULT_GAMES", kGamesInCi);
  uint32_t seed = Seed();
  evidence.Set("games", games);
  evidence.Set("first_seed", seed);
  int operations = 0;
  int crashes = 0;
  for (int64_t game = 0; game < games && !testing::Test::HasFailure(); ++game, ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RandomDice dice(seed);
    Game played(dice);
    played.Play();
    operations += played.operations();
    crashes += played.crashes();
  }
  evidence.Set("operations", operations);
  evidence.Set("crashes", crashes);
}

}  // namespace
}  // namespace qinglan::fault
