// How long things took, in buckets that grow with the value: every figure is at most 0.4 % above the true
// one, never below it, and a client's memory does not grow with the number of samples.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace qinglan::bench {

// Not thread-safe; merge one a thread.
class Histogram {
 public:
  void Add(absl::Duration took);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // The time that `share` (0 to 1) of the samples did not exceed, as the upper edge of its bucket; zero when
  // there are none.
  absl::Duration AtShare(double share) const;
  absl::Duration Max() const { return absl::Nanoseconds(max_nanos_); }
  absl::Duration Mean() const;

 private:
  static constexpr int kPrecisionBits = 8;  // 256 buckets from one power of two to the next
  static constexpr size_t kBuckets = static_cast<size_t>(64 - kPrecisionBits) << kPrecisionBits;

  static size_t BucketOf(uint64_t nanos);
  static uint64_t UpperEdge(size_t bucket);

  std::array<uint32_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_nanos_ = 0;
  int64_t max_nanos_ = 0;
};

}  // namespace qinglan::bench
