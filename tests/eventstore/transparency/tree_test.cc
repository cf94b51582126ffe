// The tree and its proofs: against the vectors that Certificate Transparency's implementations share, and
// against the definition for every size up to some hundreds.
#include <absl/strings/escaping.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "eventstore/text.h"
#include "eventstore/transparency/frontier.h"
#include "eventstore/transparency/proof.h"
#include "eventstore/transparency/proof_length.h"
#include "tests/eventstore/transparency/memory_tree.h"

namespace qinglan::eventstore::transparency {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr uint64_t kEverySizeTo = 264;  // past the first tile

std::string Unhex(std::string_view hex) { return absl::HexStringToBytes(Absl(hex)); }

Hash FromHex(std::string_view hex) {
  Hash hash;
  EXPECT_TRUE(HashFrom(Unhex(hex), hash)) << hex;
  return hash;
}

Proof ProofOf(const std::vector<std::string>& hex) {
  Proof proof;
  for (const std::string& hash : hex) proof.push_back(FromHex(hash));
  return proof;
}

// The eight leaves, and the roots of the trees of the first 0 to 8 of them.
const std::vector<std::string> kLeaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

MemoryTree KnownTree() {
  MemoryTree tree;
  for (const std::string& leaf : kLeaves) tree.Add(Unhex(leaf));
  return tree;
}

TEST(KnownTreeTest, EverySizeHasItsRoot) {
  MemoryTree tree;
  EXPECT_EQ(Hex(tree.frontier().Root(tree.hasher())), kRoots[0]);
  for (size_t size = 1; size <= kLeaves.size(); ++size) {
    tree.Add(Unhex(kLeaves[size - 1]));
    EXPECT_EQ(Hex(tree.frontier().Root(tree.hasher())), kRoots[size]);
    EXPECT_EQ(Hex(*RootOf(tree, size)), kRoots[size]);
  }
}

TEST(KnownTreeTest, InclusionProofsAreTheKnownOnes) {
  const MemoryTree tree = KnownTree();
  const auto proof = [&](uint64_t index, uint64_t size) { return *ProveInclusion(tree, {index, size}); };
  EXPECT_THAT(proof(0, 1), testing::IsEmpty());
  EXPECT_THAT(
      proof(0, 8),
      ElementsAreArray(ProofOf({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"})));
  EXPECT_THAT(proof(5, 8),
              ElementsAreArray(
                  ProofOf({"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                           "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", kRoots[4]})));
  EXPECT_THAT(proof(2, 3), ElementsAreArray(ProofOf({kRoots[2]})));
  EXPECT_THAT(
      proof(1, 5),
      ElementsAreArray(ProofOf({kRoots[1], "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"})));
}

TEST(KnownTreeTest, ConsistencyProofsAreTheKnownOnes) {
  const MemoryTree tree = KnownTree();
  const auto proof = [&](uint64_t from, uint64_t to) { return *ProveConsistency(tree, {from, to}); };
  EXPECT_THAT(proof(1, 1), testing::IsEmpty());
  EXPECT_THAT(
      proof(1, 8),
      ElementsAreArray(ProofOf({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"})));
  EXPECT_THAT(proof(6, 8),
              ElementsAreArray(
                  ProofOf({"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                           "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", kRoots[4]})));
  EXPECT_THAT(
      proof(2, 5),
      ElementsAreArray(ProofOf({"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"})));
}

// RFC 6962, section 2.1.3: the tree of seven leaves, its hashes named by the letters that it has there. The
// RFC gives no bytes, only which hashes a proof is made of.
class RfcExampleTest : public testing::Test {
 protected:
  Hash Add(const std::string& leaf) {
    tree_.Add(leaf);
    return hasher_.Leaf(leaf);
  }

  Hasher hasher_;
  MemoryTree tree_;
  const Hash a = Add("d0"), b = Add("d1"), c = Add("d2"), d = Add("d3"), e = Add("d4"), f = Add("d5"),
             j = Add("d6");
  const Hash g = hasher_.Node(a, b), h = hasher_.Node(c, d), i = hasher_.Node(e, f);
  const Hash k = hasher_.Node(g, h), l = hasher_.Node(i, j);
};

TEST_F(RfcExampleTest, AuditPathsAreThoseOfTheRfc) {
  EXPECT_EQ(*RootOf(tree_, 7), hasher_.Node(k, l));
  const auto path = [&](uint64_t leaf) { return *ProveInclusion(tree_, {leaf, 7}); };
  EXPECT_THAT(path(0), ElementsAre(b, h, l));
  EXPECT_THAT(path(3), ElementsAre(c, g, l));
  EXPECT_THAT(path(4), ElementsAre(f, j, k));
  EXPECT_THAT(path(6), ElementsAre(i, k));
}

TEST_F(RfcExampleTest, ConsistencyProofsAreThoseOfTheRfc) {
  const auto proof = [&](uint64_t size) { return *ProveConsistency(tree_, {size, 7}); };
  EXPECT_EQ(*RootOf(tree_, 3), hasher_.Node(g, c));
  EXPECT_THAT(proof(3), ElementsAre(c, d, g, l));
  EXPECT_THAT(proof(4), ElementsAre(l));
  EXPECT_EQ(*RootOf(tree_, 6), hasher_.Node(k, i));
  EXPECT_THAT(proof(6), ElementsAre(i, j, k));
}

MemoryTree TreeOf(uint64_t size) {
  MemoryTree tree;
  for (uint64_t i = 0; i < size; ++i) tree.Add("leaf " + std::to_string(i));
  return tree;
}

// The roots of all sizes up to the tree's, by the definition.
std::vector<TreeHead> HeadsOf(const MemoryTree& tree) {
  std::vector<TreeHead> heads;
  for (uint64_t size = 0; size <= tree.leaves().size(); ++size) {
    heads.push_back({size, SlowRoot(tree.leaves(), 0, size)});
  }
  return heads;
}

TEST(TreeTest, TheFrontierHasTheRootOfTheDefinitionAtEverySize) {
  MemoryTree tree;
  for (uint64_t size = 0; size <= 2 * kEverySizeTo; ++size) {
    ASSERT_EQ(tree.frontier().Root(tree.hasher()), SlowRoot(tree.leaves(), 0, size)) << size;
    tree.Add("leaf " + std::to_string(size));
  }
}

TEST(TreeTest, EveryLeafIsProvedInEverySize) {
  const MemoryTree tree = TreeOf(kEverySizeTo);
  for (const TreeHead& head : HeadsOf(tree)) {
    for (uint64_t index = 0; index < head.size; ++index) {
      const auto proof = ProveInclusion(tree, {index, head.size});
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_TRUE(VerifyInclusion(tree.leaf_hash(index), index, head, *proof).ok())
          << index << " in " << head.size;
      ASSERT_EQ(InclusionHashes({index, head.size}), proof->size()) << index << " in " << head.size;
    }
  }
}

TEST(TreeTest, EverySizeIsProvedToContinueEverySmallerOne) {
  const MemoryTree tree = TreeOf(kEverySizeTo);
  const std::vector<TreeHead> heads = HeadsOf(tree);
  for (const TreeHead& to : heads) {
    for (uint64_t from = 0; from <= to.size; ++from) {
      const auto proof = ProveConsistency(tree, {from, to.size});
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_TRUE(VerifyConsistency(heads[from], to, *proof).ok()) << from << " to " << to.size;
      ASSERT_EQ(ConsistencyHashes({from, to.size}), proof->size()) << from << " to " << to.size;
    }
  }
}

// Calls `visit` with the proof in each form that one changed bit, one hash less or one more gives it.
template <class Visit>
void ForEachTampered(const Proof& proof, Visit visit) {
  for (size_t i = 0; i < proof.size(); ++i) {
    for (size_t bit = 0; bit < 8 * kHashBytes; ++bit) {
      Proof tampered = proof;
      tampered[i].bytes[bit / 8] = static_cast<char>(tampered[i].bytes[bit / 8] ^ (1 << bit % 8));
      visit(tampered);
    }
    Proof shorter = proof;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    visit(shorter);
  }
  Proof longer = proof;
  longer.push_back(Hash{});
  visit(longer);
}

Hash FlipBit(Hash hash, size_t bit) {
  hash.bytes[bit / 8] = static_cast<char>(hash.bytes[bit / 8] ^ (1 << bit % 8));
  return hash;
}

const std::vector<uint64_t> kTellingSizes = {1, 2, 3, 5, 8, 13, 255, 256, 257, kEverySizeTo};

TEST(TamperingTest, NoChangedInclusionProofIsAccepted) {
  const MemoryTree tree = TreeOf(kEverySizeTo);
  for (const uint64_t size : kTellingSizes) {
    const TreeHead head{size, SlowRoot(tree.leaves(), 0, size)};
    for (const uint64_t index : {uint64_t{0}, size / 2, size - 1}) {
      const Hash leaf = tree.leaf_hash(index);
      const Proof proof = *ProveInclusion(tree, {index, size});
      ASSERT_TRUE(VerifyInclusion(leaf, index, head, proof).ok());
      ForEachTampered(proof, [&](const Proof& tampered) {
        EXPECT_FALSE(VerifyInclusion(leaf, index, head, tampered).ok()) << index << " in " << size;
      });
      for (size_t bit = 0; bit < 8 * kHashBytes; ++bit) {
        EXPECT_TRUE(absl::IsDataLoss(VerifyInclusion(FlipBit(leaf, bit), index, head, proof)));
        EXPECT_TRUE(absl::IsDataLoss(VerifyInclusion(leaf, index, {size, FlipBit(head.root, bit)}, proof)));
      }
      for (uint64_t other = 0; other < size; ++other) {
        if (other == index) continue;
        EXPECT_FALSE(VerifyInclusion(leaf, other, head, proof).ok()) << other << " for " << index;
      }
      EXPECT_TRUE(absl::IsInvalidArgument(VerifyInclusion(leaf, size, head, proof)));
    }
  }
}

TEST(TamperingTest, NoChangedConsistencyProofIsAccepted) {
  const MemoryTree tree = TreeOf(kEverySizeTo);
  const std::vector<TreeHead> heads = HeadsOf(tree);
  for (const uint64_t to : kTellingSizes) {
    for (const uint64_t from : {uint64_t{1}, to / 2, to - 1, to}) {
      const Proof proof = *ProveConsistency(tree, {from, to});
      ASSERT_TRUE(VerifyConsistency(heads[from], heads[to], proof).ok());
      ForEachTampered(proof, [&](const Proof& tampered) {
        EXPECT_FALSE(VerifyConsistency(heads[from], heads[to], tampered).ok()) << from << " to " << to;
      });
      for (size_t bit = 0; bit < 8 * kHashBytes; ++bit) {
        const TreeHead earlier{from, FlipBit(heads[from].root, bit)};
        const TreeHead later{to, FlipBit(heads[to].root, bit)};
        EXPECT_TRUE(absl::IsDataLoss(VerifyConsistency(earlier, heads[to], proof))) << from << " to " << to;
        if (from != 0) {
          EXPECT_TRUE(absl::IsDataLoss(VerifyConsistency(heads[from], later, proof))) << from << " to " << to;
        }
      }
    }
  }
  EXPECT_TRUE(absl::IsInvalidArgument(VerifyConsistency(heads[3], heads[2], {})));
}

// Leaves that were changed or exchanged make another tree: a proof of the old one does not lead there.
TEST(TamperingTest, ARewrittenLogDoesNotContinueTheOldOne) {
  const MemoryTree old = TreeOf(kEverySizeTo);
  MemoryTree rewritten;
  for (uint64_t i = 0; i < kEverySizeTo; ++i) rewritten.Add("leaf " + std::to_string(i == 17 ? 18 : i));
  const TreeHead earlier{100, *RootOf(old, 100)};
  const TreeHead later{kEverySizeTo, *RootOf(rewritten, kEverySizeTo)};
  EXPECT_TRUE(
      absl::IsDataLoss(VerifyConsistency(earlier, later, *ProveConsistency(rewritten, {100, kEverySizeTo}))));
}

TEST(TreeTest, WhatCannotBeProvedIsRefused) {
  const MemoryTree tree = TreeOf(3);
  EXPECT_TRUE(absl::IsInvalidArgument(ProveInclusion(tree, {3, 3}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveInclusion(tree, {0, 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveConsistency(tree, {3, 2}).status()));
  EXPECT_EQ(InclusionHashes({3, 3}), 0U);
  EXPECT_EQ(ConsistencyHashes({3, 2}), 0U);
}

// Whoever counts may have been told any size.
TEST(TreeTest, TheLongestProofsAreOfTheLargestTree) {
  EXPECT_EQ(InclusionHashes({0, UINT64_MAX}), 64U);
  EXPECT_EQ(ConsistencyHashes({1, UINT64_MAX}), 64U);
  EXPECT_EQ(ConsistencyHashes({3, UINT64_MAX}), 65U);
}

constexpr uint64_t kLarge = 256 * 256 + 3 * 256 + 77;

TEST(TreeTest, OneHashIsStoredForATileOfEachTier) {
  const MemoryTree tree = TreeOf(kLarge);
  ASSERT_EQ(tree.stored().size(), 2U);
  EXPECT_EQ(tree.stored().at(1).size(), kLarge / 256);
  EXPECT_EQ(tree.stored().at(2).size(), 1U);
  EXPECT_EQ(tree.stored().at(1)[2], SlowRoot(tree.leaves(), 512, 768));
  EXPECT_EQ(tree.stored().at(2)[0], SlowRoot(tree.leaves(), 0, 65536));
}

TEST(TreeTest, ProofsOfALargeTreeReadTwoTilesATier) {
  MemoryTree tree = TreeOf(kLarge);
  const TreeHead head{kLarge, SlowRoot(tree.leaves(), 0, kLarge)};
  for (const uint64_t index : {uint64_t{0}, uint64_t{65535}, uint64_t{65536}, uint64_t{66000}, kLarge - 1}) {
    tree.leaves_read = tree.stored_read = 0;
    const auto proof = ProveInclusion(tree, {index, kLarge});
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(VerifyInclusion(tree.leaf_hash(index), index, head, *proof).ok()) << index;
    EXPECT_LE(tree.leaves_read, 2 * kTileHashes);
    EXPECT_LE(tree.stored_read, 2 * 2 * kTileHashes);
  }
  for (const uint64_t from : {uint64_t{1}, uint64_t{255}, uint64_t{65536}, uint64_t{65537}, kLarge - 1}) {
    const auto proof = ProveConsistency(tree, {from, kLarge});
    ASSERT_TRUE(proof.ok()) << proof.status();
    const TreeHead earlier{from, SlowRoot(tree.leaves(), 0, from)};
    EXPECT_TRUE(VerifyConsistency(earlier, head, *proof).ok()) << from;
  }
}

TEST(TreeTest, AFrontierThatWasLoadedGrowsAsTheOneThatStayed) {
  MemoryTree tree = TreeOf(kLarge);
  for (const uint64_t size :
       {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{65536}, kLarge}) {
    tree.leaves_read = tree.stored_read = 0;
    auto loaded = Frontier::Load(tree, size);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_LT(tree.leaves_read, kTileHashes);
    EXPECT_LE(tree.stored_read, 2 * kTileHashes);
    for (uint64_t i = size; i < std::min(size + 300, kLarge); ++i) {
      loaded->Add(tree.leaf_hash(i), tree.hasher(), [&](int tier, uint64_t index, const Hash& hash) {
        EXPECT_EQ(hash, tree.stored().at(tier)[index]);
      });
    }
    const uint64_t grown = std::min(size + 300, kLarge);
    EXPECT_EQ(loaded->Root(tree.hasher()), SlowRoot(tree.leaves(), 0, grown)) << size;
  }
}

TEST(TreeTest, AHashThatIsNotThereIsAnErrorNotAProof) {
  const MemoryTree tree = TreeOf(10);
  EXPECT_TRUE(absl::IsDataLoss(ProveInclusion(tree, {3, 11}).status()));
  EXPECT_TRUE(absl::IsDataLoss(Frontier::Load(tree, 11).status()));
}

}  // namespace
}  // namespace qinglan::eventstore::transparency
