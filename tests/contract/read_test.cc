// Queries, directions, bounds and limits of Read().
#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/contract/store_under_test.h"

namespace qinglan::eventstore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReadTest : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    Put("enrolled", {"teacher:1", "session:1"});     // 1
    Put("enrolled", {"teacher:2", "session:1"});     // 2
    Put("attended", {"teacher:1", "session:1"}, 3);  // 3 4 5
    Put("rated", {"teacher:1"});                     // 6
    auto mixed = MakeRequest(
        "mixed", {MakeEvent("enrolled", {"teacher:3", "session:2"}), MakeEvent("rated", {"teacher:2"}),
                  MakeEvent("enrolled", {"teacher:1", "session:2"}), MakeEvent("noted", {})});
    ASSERT_TRUE(store().AppendAndWait(mixed).ok());  // 7 8 9 10
  }
};
QL_ON_EVERY_IMPLEMENTATION(ReadTest);

TEST_P(ReadTest, OneTag) { EXPECT_THAT(Positions(Tagged({"teacher:1"})), ElementsAre(1, 3, 4, 5, 6, 9)); }

TEST_P(ReadTest, AllTagsOfAnItemMustBeBorneByTheSameEvent) {
  EXPECT_THAT(Positions(Tagged({"teacher:1", "session:2"})), ElementsAre(9));
  EXPECT_THAT(Positions(Tagged({"session:1", "teacher:1"})), ElementsAre(1, 3, 4, 5));
  EXPECT_THAT(Positions(Tagged({"teacher:1", "teacher:2"})), IsEmpty());
}

TEST_P(ReadTest, Types) {
  EXPECT_THAT(Positions(Typed({"rated"})), ElementsAre(6, 8));
  EXPECT_THAT(Positions(Typed({"rated", "noted", "never"})), ElementsAre(6, 8, 10));
}

TEST_P(ReadTest, TypesAndTags) {
  EXPECT_THAT(Positions(Query{{{{"enrolled", "rated"}, {"teacher:1"}}}}), ElementsAre(1, 6, 9));
  EXPECT_THAT(Positions(Query{{{{"noted"}, {"teacher:1"}}}}), IsEmpty());
}

TEST_P(ReadTest, ItemsAreMergedInOrderAndAnEventThatMatchesTwiceComesOnce) {
  const Query query{{{{}, {"session:1"}}, {{"rated"}, {}}, {{"enrolled"}, {"teacher:1"}}}};
  EXPECT_THAT(Positions(query), ElementsAre(1, 2, 3, 4, 5, 6, 8, 9));
}

TEST_P(ReadTest, AnItemWithNothingInItMatchesEverythingAndNoItemsMatchNothing) {
  EXPECT_THAT(Positions(Query{{{{"rated"}, {}}, {}}}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_THAT(Positions(Query::Nothing()), IsEmpty());
}

TEST_P(ReadTest, UnknownTagAndUnknownTypeMatchNothing) {
  EXPECT_THAT(Positions(Tagged({"teacher:9"})), IsEmpty());
  EXPECT_THAT(Positions(Tagged({"teacher:1", "teacher:9"})), IsEmpty());
  EXPECT_THAT(Positions(Typed({"never"})), IsEmpty());
}

TEST_P(ReadTest, Backwards) {
  EXPECT_THAT(Positions(Query::All(), {.backwards = true}), ElementsAre(10, 9, 8, 7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(Positions(Tagged({"teacher:1"}), {.backwards = true}), ElementsAre(9, 6, 5, 4, 3, 1));
  EXPECT_THAT(Positions(Tagged({"session:1", "teacher:1"}), {.backwards = true}), ElementsAre(5, 4, 3, 1));
  EXPECT_THAT(Positions(Typed({"rated", "attended"}), {.backwards = true}), ElementsAre(8, 6, 5, 4, 3));
}

TEST_P(ReadTest, AfterAndUpToCutInsideACommit) {
  for (const bool backwards : {false, true}) {
    ReadOptions options{.after = Position(3), .up_to = Position(8), .backwards = backwards};
    std::vector<uint64_t> all{4, 5, 6, 7, 8};
    std::vector<uint64_t> tagged{4, 5, 6};
    if (backwards) std::reverse(all.begin(), all.end());
    if (backwards) std::reverse(tagged.begin(), tagged.end());
    EXPECT_EQ(Positions(Query::All(), options), all);
    EXPECT_EQ(Positions(Tagged({"teacher:1"}), options), tagged);
  }
  EXPECT_THAT(Positions(Tagged({"teacher:1"}), {.after = Position(4), .up_to = Position(4)}), IsEmpty());
}

TEST_P(ReadTest, LimitEndsTheReadAtTheLastEventHandedOver) {
  EXPECT_THAT(Positions(Tagged({"teacher:1"}), {.limit = 2}), ElementsAre(1, 3));
  EXPECT_THAT(Positions(Tagged({"teacher:1"}), {.limit = 2, .backwards = true}), ElementsAre(9, 6));
  EXPECT_THAT(Positions(Tagged({"teacher:1"}), {.limit = 0}), IsEmpty());
  const auto ignore = [](const EventView&) { return true; };
  EXPECT_EQ(*store().Read(Tagged({"teacher:1"}), {.limit = 2}, ignore), Position(3));
}

TEST_P(ReadTest, ReturnsHowFarTheLogWasRead) {
  const auto ignore = [](const EventView&) { return true; };
  EXPECT_EQ(*store().Read(Tagged({"session:1"}), {}, ignore), Position(10));
  EXPECT_EQ(*store().Read(Tagged({"session:1"}), {.up_to = Position(7)}, ignore), Position(7));
  EXPECT_EQ(*store().Read(Tagged({"session:1"}), {.up_to = Position(700)}, ignore), Position(10));
  EXPECT_EQ(*store().Read(Query::Nothing(), {}, ignore), Position(10));
  EXPECT_EQ(*store().Read(Tagged({"session:1"}), {}, [](const EventView&) { return false; }), Position(1));
}

TEST_P(ReadTest, AReadStartedAtAPositionSeesNothingLaterThanTheHeadAtItsCall) {
  std::vector<uint64_t> seen;
  const auto read = store().Read(Query::All(), {}, [&](const EventView& event) {
    if (seen.empty()) Put("late", {"teacher:1"});
    seen.push_back(event.position.value);
    return true;
  });
  EXPECT_EQ(*read, Position(10));
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

// More than goes into one message, and its neighbours, in both directions.
TEST_P(ReadTest, AReadOfManyEventsOfATagIsOneReadHoweverItIsCut) {
  constexpr size_t kMany = 1'300;
  for (size_t left = kMany; left > 0; left -= 100) Put("many", {"many"}, 100);
  const auto ignore = [](const EventView&) { return true; };
  for (const bool backwards : {false, true}) {
    for (const size_t limit : {511UL, 512UL, 513UL, 1'024UL, 1'299UL, 1'300UL, 1'301UL, SIZE_MAX}) {
      const ReadOptions options{.limit = limit, .backwards = backwards};
      const std::vector<uint64_t> seen = Positions(Tagged({"many"}), options);
      ASSERT_EQ(seen.size(), std::min(limit, kMany));
      for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], backwards ? 10 + kMany - i : 11 + i);
      const Position end = limit <= kMany ? Position(seen.back()) : Position(10 + kMany);
      EXPECT_EQ(*store().Read(Tagged({"many"}), options, ignore), end) << limit << backwards;
    }
  }
}

TEST_P(ReadTest, LargeEventsOfATagComeWholeAndInOrder) {
  std::vector<std::string> payloads;
  for (char letter = 'a'; letter < 'a' + 9; ++letter) {
    payloads.push_back(std::string(100'000, letter));
    ASSERT_TRUE(store()
                    .AppendAndWait(
                        MakeRequest(std::string(3, letter), {MakeEvent("large", {"large"}, payloads.back())}))
                    .ok());
  }
  std::vector<std::string> seen;
  for (Event& event : ReadAll(Tagged({"large"}))) seen.push_back(std::move(event.payload));
  EXPECT_EQ(seen, payloads);
}

TEST_P(ReadTest, AReadOfATagSeesOneLogThoughItGrowsAllTheWhile) {
  for (int i = 0; i < 12; ++i) Put("many", {"many"}, 100);
  for (const bool backwards : {false, true}) {
    const Position head = HeadNow();
    std::vector<uint64_t> seen;
    const auto read = store().Read(Tagged({"many"}), {.backwards = backwards}, [&](const EventView& event) {
      if (seen.size() % 400 == 0) Put("many", {"many"}, 1);
      seen.push_back(event.position.value);
      return true;
    });
    EXPECT_EQ(*read, head);
    EXPECT_EQ(seen.size(), head.value - 10);
    EXPECT_EQ(*std::max_element(seen.begin(), seen.end()), head.value);
  }
}

// A long scan reads ahead of its visitor.
TEST_P(ReadTest, AScanOfALongLogIsInOrderAndMayEndAnywhere) {
  constexpr uint64_t kEvents = 12'000;
  const std::vector<NewEvent> five(5, MakeEvent("many", {}));
  for (uint64_t put = 10; put < kEvents - 5; put += 5) {
    store().Append(MakeRequest(std::to_string(put), five), [](const auto& done) { EXPECT_TRUE(done.ok()); });
  }
  Put("last", {}, 5);
  ASSERT_EQ(HeadNow(), Position(kEvents));
  for (const uint64_t end : {uint64_t{1'000}, uint64_t{7'777}, kEvents + 1}) {
    uint64_t last = 0;
    const auto read = store().Read(Query::All(), {}, [&](const EventView& event) {
      EXPECT_EQ(event.position.value, ++last);
      return last != end;
    });
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, Position(std::min(end, kEvents)));
    EXPECT_EQ(last, std::min(end, kEvents));
  }
}

TEST_P(ReadTest, AVisitorThatThrowsEndsItsReadAndNothingElse) {
  for (int i = 0; i < 8; ++i) Put("many", {"many"}, 100);
  const auto subscription = store().Subscribe(Query::All(), Position(0));
  ASSERT_TRUE(subscription.ok());
  for (const size_t after : {1UL, 600UL}) {
    size_t seen = 0;
    const auto visit = [&](const EventView&) {
      if (++seen == after) throw std::runtime_error("enough");
      return true;
    };
    EXPECT_THROW((void)store().Read(Tagged({"many"}), {}, visit), std::runtime_error);
    seen = 0;
    EXPECT_THROW((void)store().Read(Query::All(), {}, visit), std::runtime_error);
    seen = 0;
    EXPECT_THROW((void)(*subscription)->Next(1'000, absl::Seconds(10), visit), std::runtime_error);
  }
  EXPECT_EQ(Positions(Tagged({"many"})).size(), 800u);
  // What is over holds up no end.
  (*subscription).get()->Cancel();
}

TEST_P(ReadTest, BrokenQueriesAreInvalid) {
  const auto ignore = [](const EventView&) { return true; };
  Query many;
  many.items.resize(kQueryItemsMax + 1);
  EXPECT_EQ(store().Read(many, {}, ignore).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Read(Tagged({""}), {}, ignore).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Subscribe(many, Position(0)).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace qinglan::eventstore
