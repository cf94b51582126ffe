#include "services/qinglan/bench/measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qinglan::bench {

size_t Histogram::BucketOf(uint64_t nanos) {
  constexpr uint64_t kExact = uint64_t{1} << (kPrecisionBits + 1);  // below this a bucket is one value
  if (nanos < kExact) return nanos;
  const int shift = std::bit_width(nanos) - 1 - kPrecisionBits;
  return (static_cast<size_t>(shift) << kPrecisionBits) + (nanos >> shift);
}

uint64_t Histogram::UpperEdge(size_t bucket) {
  constexpr size_t kExact = size_t{1} << (kPrecisionBits + 1);
  if (bucket < kExact) return bucket;
  const size_t shift = (bucket >> kPrecisionBits) - 1;
  const uint64_t mantissa = bucket - (shift << kPrecisionBits);
  return ((mantissa + 1) << shift) - 1;
}

void Histogram::Add(absl::Duration took) {
  const int64_t nanos = std::max<int64_t>(0, absl::ToInt64Nanoseconds(took));
  ++buckets_[std::min(kBuckets - 1, BucketOf(static_cast<uint64_t>(nanos)))];
  ++count_;
  sum_nanos_ += static_cast<uint64_t>(nanos);
  max_nanos_ = std::max(max_nanos_, nanos);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_nanos_ += other.sum_nanos_;
  max_nanos_ = std::max(max_nanos_, other.max_nanos_);
}

absl::Duration Histogram::AtShare(double share) const {
  if (count_ == 0) return absl::ZeroDuration();
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= std::max<uint64_t>(1, wanted)) {
      return std::min(absl::Nanoseconds(static_cast<int64_t>(UpperEdge(i))), Max());
    }
  }
  return Max();
}

absl::Duration Histogram::Mean() const {
  return count_ == 0 ? absl::ZeroDuration() : absl::Nanoseconds(static_cast<int64_t>(sum_nanos_ / count_));
}

}  // namespace qinglan::bench
