// What a fault test did, in figures: one line of JSON a test, so that a report can be made from a run without
// anything being written into it by hand.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fault/load/ledger.h"

namespace qinglan::fault {

// How much of something: `in_ci`, or what the environment's `variable` says (the long form,
// deploy/evidence.sh).
int64_t Amount(const char* variable, int64_t in_ci);

// QINGLAN_FAULT_SEED, or a random one.
uint32_t Seed();

// Prints, at the end of its life, "EVIDENCE {...}" with the part's name, its figures, the seconds it took and
// whether the test has failed by then; also to the end of the file that QINGLAN_EVIDENCE_FILE names.
class Evidence {
 public:
  explicit Evidence(std::string part) : part_(std::move(part)), began_(std::chrono::steady_clock::now()) {}
  ~Evidence();
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  // What a check of the whole log found; the sums of all checks are told: how many there were, how many
  // acknowledged commits they found, how many they missed, how many they met twice.
  void Add(const Findings& findings);

  template <class Number>
  void Set(std::string_view name, Number value) {
    figures_ += fmt::format(R"(,"{}":{})", name, value);
  }

 private:
  const std::string part_;
  const std::chrono::steady_clock::time_point began_;
  std::string figures_;
  uint64_t checks_ = 0;
  uint64_t found_ = 0;
  uint64_t lost_ = 0;
  uint64_t duplicated_ = 0;
};

}  // namespace qinglan::fault
