#include "services/qinglan/bench/measure/histogram.h"

#include <gtest/gtest.h>

#include <memory>

namespace qinglan::bench {
namespace {

TEST(Histogram, SharesAreAtMostFourPerMilleAboveTheTruthAndNeverBelow) {
  Histogram histogram;
  for (int64_t i = 1; i <= 100'000; ++i) histogram.Add(absl::Nanoseconds(i * 37));
  for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const absl::Duration truth = absl::Nanoseconds(static_cast<int64_t>(share * 100'000) * 37);
    EXPECT_GE(histogram.AtShare(share), truth) << share;
    EXPECT_LE(histogram.AtShare(share), truth * 1.004) << share;
  }
  EXPECT_EQ(histogram.Max(), absl::Nanoseconds(3'700'000));
  EXPECT_EQ(histogram.Mean(), absl::Nanoseconds(1'850'018));
}

TEST(Histogram, AFewSlowOnesShowInTheirShareOnly) {
  Histogram histogram;
  for (int i = 0; i < 990; ++i) histogram.Add(absl::Microseconds(100));
  for (int i = 0; i < 10; ++i) histogram.Add(absl::Seconds(2));
  EXPECT_LT(histogram.AtShare(0.99), absl::Microseconds(101));
  EXPECT_EQ(histogram.AtShare(0.999), absl::Seconds(2));
}

TEST(Histogram, TwoMergedAreAsOneThatHadSeenAll) {
  Histogram whole;
  Histogram odd;
  Histogram even;
  for (int i = 0; i < 5'000; ++i) {
    whole.Add(absl::Microseconds(i));
    (i % 2 == 0 ? even : odd).Add(absl::Microseconds(i));
  }
  even.Merge(odd);
  EXPECT_EQ(even.count(), whole.count());
  EXPECT_EQ(even.Mean(), whole.Mean());
  EXPECT_EQ(even.Max(), whole.Max());
  for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(even.AtShare(share), whole.AtShare(share));
}

TEST(Histogram, AnythingFitsAndNothingIsNothing) {
  Histogram histogram;
  EXPECT_EQ(histogram.AtShare(0.5), absl::ZeroDuration());
  EXPECT_EQ(histogram.Mean(), absl::ZeroDuration());
  histogram.Add(absl::Nanoseconds(-5));  // clocks of two threads
  histogram.Add(absl::Hours(1000));
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_EQ(histogram.AtShare(1), absl::Hours(1000));
}

}  // namespace
}  // namespace qinglan::bench
