// Builds beside builds: made, compared, switched to and back, dropped; and who answers meanwhile.
#include <filesystem>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

const ViewId kFirst{"all", 1, 1};
const ViewId kSecond{"all", 1, 2};

std::unique_ptr<Tally> All(uint32_t version = 1, std::string poison = "") {
  return std::make_unique<Tally>("all", version, eventstore::Query::All(), std::move(poison));
}

class GenerationsTest : public RunnerTest {
 protected:
  // Writes into a build behind the runner's back.
  void Damage(const ViewId& view) {
    auto batch = views_->Begin(view);
    ASSERT_TRUE(batch.ok());
    batch->Put("A", "999");
    batch->Put("extra", "row");
    batch->Delete("C");
    ASSERT_TRUE(views_->Commit(*std::move(batch), views_->Snapshot(view)->checkpoint()).ok());
  }
};

TEST_F(GenerationsTest, TheFirstBuildAnswersOnceItHasCaughtUpAndNotBefore) {
  const Position last = Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  EXPECT_EQ(Answer("all", Position(0)).at("A"), "20") << "a part of the log is no answer";
  EXPECT_THAT(views_->Answering("all"), Optional(kFirst));
  EXPECT_TRUE(runner_->Status(kFirst)->answers);
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      runner_->Rows("all", last.Next(), absl::Now() + absl::Milliseconds(30)).status()));
  EXPECT_TRUE(absl::IsNotFound(runner_->Rows("none", Position(0), Soon()).status()));
}

TEST_F(GenerationsTest, ARebuildStandsBesideUntilItIsSwitchedToAndBack) {
  const Position last = Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(Becomes(kFirst, ViewState::kLive));
  Damage(kFirst);
  const auto built = runner_->Rebuild({"all"}, WhenThere::kStay);
  ASSERT_TRUE(built.ok()) << built.status();
  ASSERT_THAT(*built, ElementsAre(kSecond));
  ASSERT_TRUE(Becomes(kSecond, ViewState::kLive));
  EXPECT_EQ(Answer("all", last).at("A"), "999");

  const auto compared = runner_->Compare(kFirst, kSecond, 10, Soon());
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_EQ(compared->position, last);
  EXPECT_EQ(compared->differing, 3u);
  ASSERT_EQ(compared->shown.size(), 3u);
  EXPECT_EQ(compared->shown[0].key, "A");
  EXPECT_EQ(compared->shown[0].difference, RowDifference::kValue);
  EXPECT_EQ(compared->shown[1].key, "C");
  EXPECT_EQ(compared->shown[1].difference, RowDifference::kOnlyInSecond);
  EXPECT_EQ(compared->shown[2].key, "extra");
  EXPECT_EQ(compared->shown[2].difference, RowDifference::kOnlyInFirst);
  EXPECT_EQ(runner_->Compare(kFirst, kSecond, 1, Soon())->shown.size(), 1u);

  ASSERT_TRUE(runner_->Switch(kSecond).ok());
  const Position more = Append(*log_, "more", {"A"});
  EXPECT_EQ(Answer("all", more).at("A"), "21");
  Restart();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  EXPECT_EQ(Answer("all", more).at("A"), "21") << "the switch outlives a restart";
  ASSERT_TRUE(runner_->WaitFor(kFirst, more, Soon()).ok()) << "the old one is kept up to date as well";
  ASSERT_TRUE(runner_->Switch(kFirst).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->Drop(kFirst)));
  ASSERT_TRUE(runner_->Drop(kSecond).ok());
  EXPECT_TRUE(absl::IsNotFound(runner_->Drop(kSecond)));
  EXPECT_TRUE(absl::IsNotFound(runner_->Switch(kSecond)));
  EXPECT_THAT(views_->Views(), ElementsAre(kFirst));
  const Position last_of_all = Append(*log_, "last", {"A"});
  EXPECT_TRUE(runner_->WaitFor(kFirst, last_of_all, Soon()).ok());
}

TEST_F(GenerationsTest, ARebuildMaySwitchByItselfAndIsTheSameByteForByte) {
  Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(Becomes(kFirst, ViewState::kLive));
  ASSERT_TRUE(runner_->Rebuild({"all"}, WhenThere::kAnswer).ok());
  ASSERT_TRUE(Becomes(kSecond, ViewState::kLive));
  EXPECT_THAT(views_->Answering("all"), Optional(kSecond));
  const auto compared = runner_->Compare(kFirst, kSecond, 10, Soon());
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_TRUE(compared->same());
  EXPECT_EQ(compared->rows_first, 5u);
  EXPECT_EQ(compared->rows_second, 5u);
}

TEST_F(GenerationsTest, WhatIsOnItsWayIsNotBegunTwiceAndGoesOnAfterARestart) {
  Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(Becomes(kFirst, ViewState::kLive));
  ASSERT_TRUE(runner_->Rebuild({"all"}, WhenThere::kAnswer).ok());
  runner_->Stop();  // somewhere on the way, or there
  ASSERT_TRUE(views_->SetWhenThere(kSecond, WhenThere::kAnswer).ok());
  Restart();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  EXPECT_TRUE(Becomes(kSecond, ViewState::kLive));
  EXPECT_THAT(views_->Answering("all"), Optional(kSecond));
  EXPECT_EQ(Rows(kFirst), Rows(kSecond));
  EXPECT_TRUE(absl::IsNotFound(runner_->Rebuild({"all", "none"}, WhenThere::kStay).status()));
  EXPECT_THAT(views_->Views(), ElementsAre(kFirst, kSecond));
}

TEST_F(GenerationsTest, ANewVersionAnswersWhenItIsThereAndTheOldRowsRest) {
  const Position last = Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(runner_->WaitFor(kFirst, last, Soon()).ok());
  Restart();
  ASSERT_TRUE(StartOne(All(2), Near()).ok());
  {
    const auto rows = runner_->Rows("all", Position(0), Soon());
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(rows->view(), (ViewId{"all", 2, 1}));
    EXPECT_EQ(rows->position(), last);
  }
  EXPECT_EQ(runner_->Status(kFirst)->state, ViewState::kResting);
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->Switch(kFirst)));
  // It can be compared all the same: with what the new code makes of the log up to where the old one is.
  Append(*log_, "more", {"A"});
  const auto compared = runner_->Compare(kFirst, {"all", 2, 1}, 10, Soon());
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_EQ(compared->position, last);
  EXPECT_TRUE(compared->same());
  EXPECT_EQ(views_->Views().size(), 2u) << "what was made to compare is gone";
  // Back to the program of before: its build catches up and answers.
  Restart();
  ASSERT_TRUE(StartOne(All(1), Near()).ok());
  EXPECT_EQ(Answer("all", Position(0)).at("A"), "21");
  EXPECT_THAT(views_->Answering("all"), Optional(kFirst));
}

// The old version rests behind the new one, so that comparing them takes a rebuild up to where it is.
TEST_F(GenerationsTest, AComparisonEndsWhenNobodyWaitsForItAnyMore) {
  Position last;
  for (int i = 0; i < 10; ++i)
    last = Append(*log_, fmt::format("many{}", i), std::vector<std::string>(1000, "A"));
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(runner_->WaitFor(kFirst, last, Soon()).ok());
  Restart();
  ASSERT_TRUE(StartOne(All(2), Near()).ok());
  const ViewId newer{"all", 2, 1};
  ASSERT_TRUE(runner_->WaitFor(newer, Append(*log_, "more", {"A"}), Soon()).ok());
  const auto compare = [&](const CompareLimits& limits) {
    return runner_->Compare(kFirst, newer, 10, Soon(), limits).status();
  };
  EXPECT_TRUE(absl::IsDeadlineExceeded(compare({.deadline = absl::Now() - absl::Seconds(1)})));
  int asked = 0;
  ASSERT_TRUE(compare({.go_on = [&] { return ++asked > 0; }}).ok());
  EXPECT_GE(asked, 3) << "at the beginning, in the rebuild, and of the rows";
  for (int at = 1; at <= asked; ++at) {
    int again = 0;
    const absl::Status ended = compare({.go_on = [&] { return ++again < at; }});
    if (again < at) break;  // while rows are stored it is asked some times a second, and they were faster
    EXPECT_TRUE(absl::IsCancelled(ended)) << ended;
    EXPECT_EQ(again, at) << "it is not asked once more";
    EXPECT_EQ(views_->Views().size(), 2u) << "what was made to compare is gone";
  }
  runner_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(compare({})));
}

TEST_F(GenerationsTest, WhatWasStoredBeforeThereWereGenerationsAnswersAtOnce) {
  Fill();
  ASSERT_TRUE(views_->OpenView(kFirst).ok());
  auto batch = views_->Begin(kFirst);
  batch->Put("A", "1");
  ASSERT_TRUE(views_->Commit(*std::move(batch), Checkpoint{Position(1), Position(1), "c0#0"}).ok());
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  EXPECT_TRUE(runner_->Rows("all", Position(0), absl::Now()).ok());
}

TEST_F(GenerationsTest, APoisonEventStopsARebuildWithItsPositionAndTheOthersArrive) {
  const Position before = Fill();
  std::vector<std::unique_ptr<Projection>> old;
  old.push_back(All());
  ASSERT_TRUE(Start(std::move(old), Near()).ok());
  ASSERT_TRUE(Becomes(kFirst, ViewState::kLive));
  Restart();
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(All(1, "C"));  // the code got worse
  both.push_back(std::make_unique<Tally>("other", 1, eventstore::Query::All()));
  ASSERT_TRUE(Start(std::move(both), Near()).ok());
  ASSERT_TRUE(runner_->Rebuild({"all"}, WhenThere::kAnswer).ok());
  ASSERT_TRUE(Becomes(kSecond, ViewState::kStopped));
  const auto status = runner_->Status(kSecond);
  EXPECT_THAT(std::string(status->error.message()), HasSubstr("c0#2 at position 3 (C): cannot be digested"));
  EXPECT_EQ(Answer("other", before).at("A"), "20");
  EXPECT_EQ(Answer("all", before).at("A"), "20") << "the one that answered still does";
  // Mended code goes on with it, and it is switched to as was asked.
  Restart();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(Becomes(kSecond, ViewState::kLive));
  EXPECT_THAT(views_->Answering("all"), Optional(kSecond));
  EXPECT_EQ(Rows(kSecond), Rows(kFirst));
}

TEST_F(GenerationsTest, ALogRestoredToAnEarlierStateIsBuiltAnew) {
  Append(*log_, "one", {"A", "B"});
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(runner_->WaitFor(kFirst, Position(2), Soon()).ok());
  Reopen("restored");
  Append(*log_, "one", {"A"});
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  EXPECT_EQ(Answer("all", Position(1)), (RowMap{{"A", "1"}, {"flushed", "1"}, {"sum", "1"}}));
  EXPECT_THAT(views_->Answering("all"), Optional(kSecond));
  const auto old = runner_->Status(kFirst);
  EXPECT_EQ(old->state, ViewState::kStopped);
  EXPECT_THAT(std::string(old->error.message()), HasSubstr("has come to position 2, but the log ends at 1"));
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->Switch(kFirst)));
  EXPECT_TRUE(runner_->Drop(kFirst).ok());
}

TEST_F(GenerationsTest, AViewOfAnotherLogIsBuiltAnewAndNotAgainAtTheNextStart) {
  Append(*log_, "one", {"A"});
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(runner_->WaitFor(kFirst, Position(1), Soon()).ok());
  Reopen("other");
  Append(*log_, "another", {"A", "B"});
  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(StartOne(All(), Near()).ok());
    EXPECT_EQ(Answer("all", Position(2)).at("sum"), "3");
    EXPECT_THAT(std::string(runner_->Status(kFirst)->error.message()), HasSubstr("made from another log"));
    EXPECT_THAT(views_->Views(), ElementsAre(kFirst, kSecond));
    Restart();
  }
}

TEST_F(GenerationsTest, BuildsAreDroppedWhileTheyAreMade) {
  Fill();
  ASSERT_TRUE(StartOne(All(), Near()).ok());
  ASSERT_TRUE(Becomes(kFirst, ViewState::kLive));
  for (uint32_t round = 0; round < 20; ++round) {
    ASSERT_TRUE(runner_->Rebuild({"all"}, WhenThere::kStay).ok());
    ASSERT_TRUE(runner_->Drop(kSecond).ok());
  }
  EXPECT_THAT(views_->Views(), ElementsAre(kFirst));
  const Position last = Append(*log_, "last", {"A"});
  EXPECT_EQ(Answer("all", last).at("A"), "21");
}

}  // namespace
}  // namespace qinglan::projections
