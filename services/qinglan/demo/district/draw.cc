#include "services/qinglan/demo/district/draw.h"

namespace qinglan::demo {
namespace {

// SplitMix64's finaliser: spreads every bit of the input over the whole output.
uint64_t Mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

uint64_t SeedOf(uint64_t seed, std::string_view what, uint64_t first, uint64_t second, uint64_t third) {
  uint64_t mixed = Mixed(seed);
  for (const char c : what) mixed = Mixed(mixed ^ static_cast<unsigned char>(c));
  for (const uint64_t part : {first, second, third}) mixed = Mixed(mixed ^ part);
  return mixed;
}

}  // namespace

Draw::Draw(uint64_t seed, std::string_view what, uint64_t first, uint64_t second, uint64_t third)
    : generator_(SeedOf(seed, what, first, second, third)) {}

uint64_t Draw::Below(uint64_t count) {
  // Draws above the last whole multiple of `count` would favour small results: draw again.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  uint64_t value = generator_();
  while (value >= limit) value = generator_();
  return value % count;
}

int Draw::Between(int lowest, int highest) {
  return lowest + static_cast<int>(Below(static_cast<uint64_t>(highest - lowest) + 1));
}

}  // namespace qinglan::demo
