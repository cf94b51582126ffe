// The demo's dice. Every choice is drawn from a generator of its own, seeded by what is being decided for
// whom, so that the same seed gives the same district whatever else is decided before, after or beside it.
//
// std::mt19937_64 is fixed by the C++ standard to the last bit; its distributions are not, so none is used
// here.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string_view>

namespace qinglan::demo {

// Not thread-safe.
class Draw {
 public:
  // For deciding `what` ("leave", "observation") for the thing that the numbers name.
  Draw(uint64_t seed, std::string_view what, uint64_t first = 0, uint64_t second = 0, uint64_t third = 0);

  uint64_t Below(uint64_t count);        // 0 to count - 1; count is at least 1
  int Between(int lowest, int highest);  // both included
  bool Percent(int chance) { return PerMille(chance * 10); }
  bool PerMille(int chance) { return Below(1000) < static_cast<uint64_t>(chance); }

  template <class T>
  const T& OneOf(std::span<const T> choices) {
    return choices[Below(choices.size())];
  }
  template <class List>
  const auto& OneOf(const List& choices) {
    return choices[Below(choices.size())];
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace qinglan::demo
