#include "eventstore/rocks/posting_audit.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace qinglan::eventstore::rocks {
namespace {

uint64_t HashOf(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

// Keys are all of one length, so nothing is lost by hashing the value with the key's hash as the seed of both
// halves.
XXH128_hash_t HashOf(std::string_view key, std::string_view value) {
  return XXH3_128bits_withSeed(value.data(), value.size(), HashOf(key));
}

}  // namespace

size_t AuditBucket(std::string_view key) { return HashOf(key) % kAuditBuckets; }

void PostingSums::Add(std::string_view key, std::string_view value) {
  const XXH128_hash_t hash = HashOf(key, value);
  Bucket& bucket = buckets_[AuditBucket(key)];
  bucket.count += 1;
  bucket.low += hash.low64;
  bucket.high += hash.high64;
  ++count_;
}

std::vector<std::vector<bool>> Differing(const PostingSums& a, const PostingSums& b) {
  std::vector<std::vector<bool>> groups;
  uint64_t listed = 0;
  for (size_t i = 0; i < kAuditBuckets; ++i) {
    if (a.buckets_[i] == b.buckets_[i]) continue;
    const uint64_t more = std::max(a.buckets_[i].count, b.buckets_[i].count);
    if (groups.empty() || listed + more > kAuditListedMax) {
      groups.emplace_back(kAuditBuckets);
      listed = 0;
    }
    groups.back()[i] = true;
    listed += more;
  }
  return groups;
}

PostingList::Key PostingList::KeyOf(std::string_view key) {
  Key halves{};
  static_assert(sizeof(halves) == kPostingKeyBytes);
  std::memcpy(&halves, key.data(), sizeof(halves));
  return halves;
}

void PostingList::Expect(std::string_view key, std::string_view value) {
  if (Concerns(key)) expected_[KeyOf(key)] = HashOf(value);
}

PostingList::Verdict PostingList::Meet(std::string_view key, std::string_view value) {
  if (!Concerns(key)) return Verdict::kFits;
  const auto found = expected_.find(KeyOf(key));
  if (found == expected_.end()) return Verdict::kExtra;
  const bool fits = found->second == HashOf(value);
  expected_.erase(found);
  return fits ? Verdict::kFits : Verdict::kWrong;
}

std::string_view PostingList::TakeMissing() {
  if (expected_.empty()) return {};
  missing_ = expected_.begin()->first;
  expected_.erase(expected_.begin());
  return {reinterpret_cast<const char*>(&missing_), sizeof(missing_)};
}

}  // namespace qinglan::eventstore::rocks
