// What a log proves of itself (provable_log.h), checked as a stranger would, with nothing but the roots.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "eventstore/transparency/leaf.h"
#include "eventstore/transparency/proof.h"
#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using transparency::Hash;
using transparency::TreeHead;

constexpr uint64_t kEvents = 700;  // two full tiles and a part of one

class ProofsTest : public ContractTest {
 protected:
  // Commits of 1 to 40 events until the log has `events` or a few more.
  void Fill(uint64_t events = kEvents) {
    std::mt19937_64 random(events);
    while (HeadNow().value < events) Put("type", {fmt::format("n:{}", random() % 50)}, 1 + random() % 40);
  }
  TreeHead Now() {
    const auto tree = proofs().CurrentTree();
    EXPECT_TRUE(tree.ok()) << tree.status();
    return tree.value_or(TreeHead{});
  }
  // MTH over the leaves from `begin` to before `end`, by the definition of RFC 6962.
  static Hash RootByDefinition(const std::vector<Hash>& leaves, uint64_t begin, uint64_t end) {
    transparency::Hasher hasher;
    if (begin == end) return hasher.Empty();
    if (end - begin == 1) return leaves[begin];
    uint64_t k = 1;
    while (2 * k < end - begin) k *= 2;
    return hasher.Node(RootByDefinition(leaves, begin, begin + k), RootByDefinition(leaves, begin + k, end));
  }
  std::vector<Hash> Leaves(uint64_t size) {
    transparency::Hasher hasher;
    std::vector<Hash> leaves;
    for (uint64_t position = 1; position <= size; ++position) {
      const auto leaf = proofs().LeafAt(Position(position));
      EXPECT_TRUE(leaf.ok()) << leaf.status();
      leaves.push_back(hasher.Leaf(leaf.value_or("")));
    }
    return leaves;
  }
};
QL_ON_EVERY_IMPLEMENTATION(ProofsTest);

TEST_P(ProofsTest, AnEmptyLogHasTheEmptyTree) {
  const TreeHead empty{0, transparency::Hasher().Empty()};
  EXPECT_EQ(Now(), empty);
  const auto at = proofs().TreeAt(Position(0));
  ASSERT_TRUE(at.ok()) << at.status();
  EXPECT_EQ(*at, empty);
  const auto nothing = proofs().ProveExtension(Position(0), Position(0));
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_THAT(*nothing, testing::IsEmpty());
}

TEST_P(ProofsTest, TheTreeIsThatOfTheLeavesAtEverySizeThatTheLogHad) {
  Fill();
  const TreeHead now = Now();
  EXPECT_EQ(now.size, HeadNow().value);
  const std::vector<Hash> leaves = Leaves(now.size);
  EXPECT_EQ(now.root, RootByDefinition(leaves, 0, now.size));
  for (uint64_t size = 0; size <= now.size; size += 1 + size / 4) {
    const auto tree = proofs().TreeAt(Position(size));
    ASSERT_TRUE(tree.ok()) << tree.status();
    EXPECT_EQ(*tree, (TreeHead{size, RootByDefinition(leaves, 0, size)}));
  }
}

TEST_P(ProofsTest, ALeafSaysWhatTheEventSays) {
  Fill();
  for (const Event& event : ReadAll(Query::All())) {
    const uint64_t position = event.position.value;
    if (position % 50 != 1 && position != 256 && position != 257) continue;
    const auto leaf = proofs().LeafAt(event.position);
    ASSERT_TRUE(leaf.ok()) << leaf.status();
    const auto decoded = transparency::DecodeLeaf(*leaf, event.position);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->event.Id(), event.View().Id());
    EXPECT_EQ(decoded->event.type, event.type);
    EXPECT_EQ(Copy(decoded->event).tags, event.tags);
    EXPECT_EQ(decoded->event.occurred_on, event.occurred_on);
    EXPECT_EQ(decoded->event.recorded_at, event.recorded_at);
    EXPECT_EQ(decoded->event.actor, event.actor);
    EXPECT_EQ(decoded->event.payload, event.payload);
  }
}

TEST_P(ProofsTest, TheLargestEventHasALeafAndAProof) {
  NewEvent largest = MakeEvent(std::string(kTypeBytesMax, 't'), {}, std::string(kPayloadBytesMax, 'x'));
  for (size_t i = 0; i < kTagsPerEventMax; ++i) largest.tags.push_back(fmt::format("{:0200}", i));
  ASSERT_TRUE(store().AppendAndWait(MakeRequest("largest", {MakeEvent("small", {}), largest})).ok());
  const auto leaf = proofs().LeafAt(Position(2));
  ASSERT_TRUE(leaf.ok()) << leaf.status();
  const auto proof = proofs().ProveEvent(Position(2), Position(2));
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_TRUE(VerifyInclusion(transparency::Hasher().Leaf(*leaf), 1, Now(), *proof).ok());
}

TEST_P(ProofsTest, EventsAreProvedInEveryLaterTree) {
  Fill();
  const std::vector<Hash> leaves = Leaves(kEvents);
  for (const uint64_t in :
       {uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{257}, uint64_t{513}, kEvents}) {
    const TreeHead tree{in, RootByDefinition(leaves, 0, in)};
    for (uint64_t position = 1; position <= in; position += 1 + position / 5) {
      const auto proof = proofs().ProveEvent(Position(position), Position(in));
      ASSERT_TRUE(proof.ok()) << proof.status();
      const Hash& leaf = leaves[position - 1];
      EXPECT_TRUE(VerifyInclusion(leaf, position - 1, tree, *proof).ok()) << position << " in " << in;
      EXPECT_FALSE(VerifyInclusion(leaf, position, tree, *proof).ok());
    }
  }
}

TEST_P(ProofsTest, ATreeIsProvedToContinueEveryEarlierOne) {
  Fill();
  const TreeHead now = Now();
  const std::vector<Hash> leaves = Leaves(now.size);
  for (uint64_t from = 0; from <= now.size; from += 1 + from / 3) {
    const auto proof = proofs().ProveExtension(Position(from), Position(now.size));
    ASSERT_TRUE(proof.ok()) << proof.status();
    TreeHead earlier{from, RootByDefinition(leaves, 0, from)};
    EXPECT_TRUE(VerifyConsistency(earlier, now, *proof).ok()) << from;
    earlier.root.bytes[0] = static_cast<char>(earlier.root.bytes[0] ^ 1);
    EXPECT_FALSE(VerifyConsistency(earlier, now, *proof).ok()) << from;
  }
}

TEST_P(ProofsTest, WhatIsNotThereIsOutOfRange) {
  Fill(5);
  const Position head = HeadNow();
  const Position far(UINT64_MAX);
  for (const Position past : {head.Next(), far}) {
    EXPECT_TRUE(absl::IsOutOfRange(proofs().TreeAt(past).status()));
    EXPECT_TRUE(absl::IsOutOfRange(proofs().LeafAt(past).status()));
    EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveEvent(Position(1), past).status()));
    EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveEvent(past, past).status()));
    EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveExtension(Position(1), past).status()));
    EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveExtension(past, past).status()));
  }
  EXPECT_TRUE(absl::IsOutOfRange(proofs().LeafAt(Position(0)).status()));
  EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveEvent(Position(0), head).status()));
  EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveEvent(Position(0), Position(0)).status()));
  EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveEvent(Position(2), Position(1)).status()));
  EXPECT_TRUE(absl::IsOutOfRange(proofs().ProveExtension(Position(2), Position(1)).status()));
}

TEST_P(ProofsTest, AfterAReopeningTheTreeIsTheSameAndGrowsOn) {
  Fill(300);
  const TreeHead before = Now();
  under_test().Reopen();
  EXPECT_EQ(Now(), before);
  Put("type", {}, 3);
  const TreeHead after = Now();
  EXPECT_EQ(after.size, before.size + 3);
  const auto proof = proofs().ProveExtension(Position(before.size), Position(after.size));
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_TRUE(VerifyConsistency(before, after, *proof).ok());
}

// G3: what was acknowledged is in the next tree, and no tree contradicts one that was shown before.
TEST_P(ProofsTest, TreesOfAGrowingLogContinueEachOther) {
  std::atomic<uint64_t> acknowledged = 0;
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) acknowledged = Put("type", {}, 3).last.value;
  });
  const auto watch = [&] {
    TreeHead before = Now();
    while (before.size < 600) {
      const uint64_t at_least = acknowledged;
      const TreeHead now = Now();
      ASSERT_GE(now.size, at_least);
      ASSERT_EQ(now.size % 3, 0U) << "a commit is in the tree whole or not at all";
      const auto proof = proofs().ProveExtension(Position(before.size), Position(now.size));
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_TRUE(VerifyConsistency(before, now, *proof).ok()) << before.size << " to " << now.size;
      before = now;
    }
  };
  watch();
  writer.join();
}

}  // namespace
}  // namespace qinglan::eventstore
