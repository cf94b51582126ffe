// A tree in memory, made the slow way that RFC 6962 defines; and one that grows, whose stored hashes serve
// proofs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/transparency/frontier.h"
#include "eventstore/transparency/hash.h"
#include "eventstore/transparency/node_source.h"

namespace qinglan::eventstore::transparency {

// MTH(D[begin:end]) word for word.
inline Hash SlowRoot(const std::vector<std::string>& leaves, size_t begin, size_t end) {
  Hasher hasher;
  if (begin == end) return hasher.Empty();
  if (end - begin == 1) return hasher.Leaf(leaves[begin]);
  size_t k = 1;
  while (2 * k < end - begin) k *= 2;
  return hasher.Node(SlowRoot(leaves, begin, begin + k), SlowRoot(leaves, begin + k, end));
}

// Keeps what a store keeps. `leaves_read` and `stored_read` count what Read() was asked for.
class MemoryTree final : public NodeSource {
 public:
  void Add(std::string leaf) {
    const Hash hash = hasher_->Leaf(leaf);
    leaves_.push_back(std::move(leaf));
    hashes_.push_back(hash);
    frontier_.Add(hash, *hasher_, [&](int tier, uint64_t index, const Hash& root) {
      EXPECT_EQ(stored_[tier].size(), index) << "a tier is stored in order, without a gap";
      stored_[tier].push_back(root);
    });
  }

  absl::Status Read(int tier, uint64_t first, absl::Span<Hash> hashes) const override {
    const std::vector<Hash>& all = tier == 0 ? hashes_ : stored_.at(tier);
    if (first + hashes.size() > all.size()) return absl::DataLossError("a hash is not there");
    if (first / kTileHashes != (first + hashes.size() - 1) / kTileHashes) {
      return absl::InternalError("more than one tile was asked for");
    }
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first), hashes.size(), hashes.begin());
    (tier == 0 ? leaves_read : stored_read) += hashes.size();
    return absl::OkStatus();
  }

  const std::vector<std::string>& leaves() const { return leaves_; }
  Hash leaf_hash(size_t index) const { return hashes_[index]; }
  const std::map<int, std::vector<Hash>>& stored() const { return stored_; }
  const Frontier& frontier() const { return frontier_; }
  Hasher& hasher() { return *hasher_; }

  mutable size_t leaves_read = 0;
  mutable size_t stored_read = 0;

 private:
  std::unique_ptr<Hasher> hasher_ = std::make_unique<Hasher>();
  Frontier frontier_;
  std::vector<std::string> leaves_;
  std::vector<Hash> hashes_;
  std::map<int, std::vector<Hash>> stored_;
};

}  // namespace qinglan::eventstore::transparency
