#include "tests/fault/load/evidence.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

namespace qinglan::fault {

int64_t Amount(const char* variable, int64_t in_ci) {
  const char* text = std::getenv(variable);
  return text == nullptr ? in_ci : std::strtoll(text, nullptr, 10);
}

uint32_t Seed() {
  const char* text = std::getenv("QINGLAN_FAULT_SEED");
  const uint32_t seed =
      text == nullptr ? std::random_device()() : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
  std::fprintf(stderr, "QINGLAN_FAULT_SEED=%u\n", seed);  // at once: a test may end with its process
  return seed;
}

void Evidence::Add(const Findings& findings) {
  ++checks_;
  found_ += findings.acknowledged - findings.lost;
  lost_ += findings.lost;
  duplicated_ += findings.duplicated;
}

Evidence::~Evidence() {
  if (checks_ > 0) {
    Set("checks", checks_);
    Set("found_commits", found_);
    Set("lost", lost_);
    Set("duplicated", duplicated_);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
  const std::string line = fmt::format(R"({{"part":"{}"{},"seconds":{:.1f},"passed":{}}})", part_, figures_,
                                       took.count(), testing::Test::HasFailure() ? "false" : "true");
  std::printf("EVIDENCE %s\n", line.c_str());
  std::fflush(stdout);
  if (const char* file = std::getenv("QINGLAN_EVIDENCE_FILE"); file != nullptr) {
    std::ofstream(file, std::ios::app) << line << '\n';
  }
}

}  // namespace qinglan::fault
