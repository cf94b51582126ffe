// Compares the index with the postings that the log asks for, in memory that does not grow with the log.
//
// Each posting is put, by a hash of its key, into one of a fixed number of buckets, and each bucket keeps the
// count and the sum of 128-bit hashes of whole postings, once as derived from the log and once as found in
// the index. Buckets that agree hold the same postings. Those that differ are gone through again, as many at
// a time as may be listed in memory.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {

inline constexpr size_t kAuditBuckets = 4096;
inline constexpr uint64_t kAuditListedMax =
    4'000'000;  // postings held in memory at once; one bucket always may be

// Of the keys of postings: which bucket.
size_t AuditBucket(std::string_view key);

// The counts and sums of all buckets, of one side.
class PostingSums {
 public:
  PostingSums() : buckets_(kAuditBuckets) {}
  void Add(std::string_view key, std::string_view value);
  uint64_t count() const { return count_; }

  // The buckets in which the two differ, in groups that may be listed at once.
  friend std::vector<std::vector<bool>> Differing(const PostingSums& a, const PostingSums& b);

 private:
  struct Bucket {
    uint64_t count = 0;
    uint64_t low = 0;
    uint64_t high = 0;
    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets_;
  uint64_t count_ = 0;
};

// The postings of some buckets one by one: first those that the log asks for, then those that the index has.
class PostingList {
 public:
  explicit PostingList(const std::vector<bool>& buckets) : buckets_(buckets) {}

  void Expect(std::string_view key, std::string_view value);

  enum class Verdict { kFits, kExtra, kWrong };
  Verdict Meet(std::string_view key, std::string_view value);

  // The key of an expected posting that was not met, as stored; valid until the next call. Empty when there
  // is none left.
  std::string_view TakeMissing();

 private:
  struct Key {
    uint64_t term;  // the key's bytes as they are, in two halves
    uint64_t last;
    bool operator==(const Key&) const = default;
    template <class H>
    friend H AbslHashValue(H hash, const Key& key) {
      return H::combine(std::move(hash), key.term, key.last);
    }
  };
  static Key KeyOf(std::string_view key);
  bool Concerns(std::string_view key) const { return buckets_[AuditBucket(key)]; }

  const std::vector<bool>& buckets_;
  absl::flat_hash_map<Key, uint64_t> expected_;  // key -> hash of the value
  Key missing_{};
};

}  // namespace qinglan::eventstore::rocks
