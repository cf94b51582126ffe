// The tree that the store keeps: always that of its log, whatever happens between two openings; and fsck,
// which finds where the two have parted.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

using rocks::NodeKey;
using testing::HasSubstr;
using transparency::Hash;
using transparency::TreeHead;

// Appends commits of 1 to 40 events until the log has `events` or a few more.
void Append(RocksEventStore& store, uint64_t events) {
  std::mt19937_64 random(events);
  while (store.Head()->value < events) {
    const uint64_t head = store.Head()->value;
    std::vector<NewEvent> commit;
    for (uint64_t i = 0; i <= random() % 40; ++i) {
      commit.push_back(
          MakeEvent("type", {"all", fmt::format("n:{}", head + i)}, std::string(random() % 100, 'x')));
    }
    ASSERT_TRUE(store.AppendAndWait(MakeRequest(fmt::format("after-{}", head), commit)).ok());
  }
}

// MTH over the leaves as the store shows them, by the definition of RFC 6962.
Hash RootByDefinition(const RocksEventStore& store, uint64_t begin, uint64_t end) {
  transparency::Hasher hasher;
  if (begin == end) return hasher.Empty();
  if (end - begin == 1) return hasher.Leaf(*store.LeafAt(Position(end)));
  uint64_t k = 1;
  while (2 * k < end - begin) k *= 2;
  return hasher.Node(RootByDefinition(store, begin, begin + k), RootByDefinition(store, begin + k, end));
}

void ExpectTreeOfTheLog(const RocksEventStore& store) {
  const auto tree = store.CurrentTree();
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(tree->size, store.Head()->value);
  EXPECT_EQ(tree->root, RootByDefinition(store, 0, tree->size));
}

constexpr uint64_t kEvents = 700;  // two full tiles and a part of one

class TreeTest : public testing::Test {
 protected:
  void SetUp() override { Append(*directory_.Open(), kEvents); }

  void ExpectOneProblem(uint64_t position, std::string_view what) {
    const FsckReport report = directory_.Check();
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_EQ(report.problems[0].position, Position(position));
    EXPECT_THAT(report.problems[0].what, HasSubstr(std::string(what)));
  }
  void Delete(const NodeKey& key) {
    directory_.Tamper([&](rocks::Database& database) {
      ASSERT_TRUE(database.db()->Delete({}, database.tree(), key.Encode()).ok());
    });
  }
  void Put(const NodeKey& key, const Hash& hash) {
    directory_.Tamper([&](rocks::Database& database) {
      ASSERT_TRUE(database.db()->Put({}, database.tree(), key.Encode(), rocks::AsSlice(hash.view())).ok());
    });
  }

  ScratchDirectory directory_;
};

TEST_F(TreeTest, ItIsTheTreeOfTheLogNowAndAfterEachOpening) {
  for (const uint64_t events : {kEvents, kEvents + 1, kEvents + 300}) {
    const auto store = directory_.Open();
    ExpectTreeOfTheLog(*store);
    Append(*store, events);
    ExpectTreeOfTheLog(*store);
  }
  const FsckReport report = directory_.Check();
  EXPECT_TRUE(report.clean()) << report.problems[0].what;
  EXPECT_EQ(report.hashes, report.events / 256);
  EXPECT_EQ(report.root, transparency::Hex(directory_.Open()->CurrentTree()->root));
}

TEST_F(TreeTest, AStoreWithoutATreeIsGivenOne) {
  const TreeHead before = *directory_.Open()->CurrentTree();
  Delete({1, 0});
  Delete({1, 1});
  {
    const auto store = directory_.Open();
    EXPECT_EQ(*store->CurrentTree(), before);
    Append(*store, kEvents + 300);
    ExpectTreeOfTheLog(*store);
  }
  EXPECT_TRUE(directory_.Check().clean());
}

TEST_F(TreeTest, ATreeThatWasNotFinishedIsFinished) {
  Delete({1, 1});
  ExpectOneProblem(512, "hash 1 of tier 1 of the tree is missing");
  ExpectTreeOfTheLog(*directory_.Open());
  EXPECT_TRUE(directory_.Check().clean());
}

// What a write that failed has left is within what one write makes.
TEST_F(TreeTest, ATreeThatIsAheadByAWriteIsCut) {
  Put({1, 2}, Hash{});
  Put({1, 3}, Hash{});
  Put({2, 0}, Hash{});
  ExpectTreeOfTheLog(*directory_.Open());
  const FsckReport report = directory_.Check();
  EXPECT_TRUE(report.clean()) << report.problems[0].what;
}

TEST_F(TreeTest, ATreeThatKnowsMoreThanTheLogIsDataLoss) {
  Put({1, 20}, Hash{});
  ExpectOneProblem(directory_.Check().events, "the log ends before");
  const auto opened = RocksEventStore::Open(directory_.Options());
  EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
}

// Nothing is added to a log whose tree is not known, but all that is sound can be read.
TEST_F(TreeTest, AHashThatIsMissingInTheMiddleIsDataLossForWhoNeedsIt) {
  Delete({1, 0});
  ExpectOneProblem(256, "hash 0 of tier 1 of the tree is missing");
  const auto store = directory_.Open();
  EXPECT_TRUE(absl::IsDataLoss(store->CurrentTree().status()));
  EXPECT_TRUE(absl::IsDataLoss(store->AppendAndWait(MakeRequest("new", {MakeEvent("type", {})})).status()));
  const auto all = Positions(*store, Query::All());
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), store->Head()->value);
}

TEST_F(TreeTest, AHashThatWasChangedIsFound) {
  Put({1, 0}, transparency::Hasher().Leaf("forged"));
  ExpectOneProblem(256, "hash 0 of tier 1 of the tree is not what the log asks for");
}

// Somebody rewrites an event and takes care of every checksum. What was signed before does not agree.
TEST_F(TreeTest, AForgedEventIsFoundByFsckAndByWhoKeptACheckpoint) {
  const TreeHead kept = *directory_.Open()->CurrentTree();
  directory_.Tamper([&](rocks::Database& database) {
    std::unique_ptr<rocksdb::Iterator> log(database.db()->NewIterator({}, database.log()));
    log->Seek(rocks::PositionKey(Position(100)));
    const Position last(rocks::LoadBig64(log->key().data()));
    auto record = rocks::Record::Parse(last, rocks::AsView(log->value()));
    ASSERT_TRUE(record.ok()) << record.status();
    AppendRequest forged = MakeRequest(std::string(record->commit_id()), {});
    forged.fingerprint = std::string(record->fingerprint());
    EventView event;
    for (Position p = record->first(); p <= last; p = p.Next()) {
      ASSERT_TRUE(record->Event(p, event).ok());
      const Event copy = Copy(event);
      forged.actor = copy.actor;
      forged.correlation_id = copy.correlation_id;
      forged.causation_id = copy.causation_id;
      forged.events.push_back({copy.type, copy.tags, copy.occurred_on, copy.payload});
    }
    forged.events[0].payload = "a better rating";
    const std::string bytes = rocks::EncodeRecord(forged, last, record->recorded_at());
    ASSERT_TRUE(database.db()->Put({}, database.log(), rocks::PositionKey(last), bytes).ok());
  });
  ExpectOneProblem(256, "is not what the log asks for");
  // Even when the tree is made anew to go with it.
  Delete({1, 0});
  Delete({1, 1});
  const auto store = directory_.Open();
  ExpectTreeOfTheLog(*store);
  Append(*store, kEvents + 100);
  const TreeHead now = *store->CurrentTree();
  const auto proof = store->ProveExtension(Position(kept.size), Position(now.size));
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_TRUE(absl::IsDataLoss(transparency::VerifyConsistency(kept, now, *proof)));
}

}  // namespace
}  // namespace qinglan::eventstore
