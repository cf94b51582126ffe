#include "projections/runner/runner.h"

#include <atomic>
#include <thread>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::HasSubstr;

TEST_F(RunnerTest, EachViewGetsWhatItWantsOfOldAndNewEvents) {
  Append(*log_, "one", {"A", "B", "A"});
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  both.push_back(std::make_unique<Tally>("only_b", 1, Types({"B", "C"})));
  ASSERT_TRUE(Start(std::move(both)).ok());
  const Position last = Append(*log_, "two", {"C", "A"});
  ASSERT_TRUE(runner_->WaitFor({"all", 1}, last, Soon()).ok());
  ASSERT_TRUE(runner_->WaitFor({"only_b", 1}, last, Soon()).ok());
  EXPECT_EQ(Rows({"all", 1}), (RowMap{{"A", "3"}, {"B", "1"}, {"C", "1"}, {"flushed", "5"}, {"sum", "15"}}));
  EXPECT_EQ(Rows({"only_b", 1}), (RowMap{{"B", "1"}, {"C", "1"}, {"flushed", "2"}, {"sum", "6"}}));
}

TEST_F(RunnerTest, AnInterestInTagsIsKept) {
  ASSERT_TRUE(
      StartOne(std::make_unique<Tally>("tagged", 1, eventstore::Query{{{{"A"}, {"thing:two"}}}})).ok());
  Append(*log_, "one", {"A"});
  const Position last = Append(*log_, "two", {"A", "B"});
  ASSERT_TRUE(runner_->WaitFor({"tagged", 1}, last, Soon()).ok());
  EXPECT_EQ(Rows({"tagged", 1}), (RowMap{{"A", "1"}, {"flushed", "1"}, {"sum", "2"}}));
}

TEST_F(RunnerTest, AViewMovesOnOverEventsThatItDoesNotWant) {
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("never", 1, Types({"Z"}))).ok());
  const Position last = Append(*log_, "one", {"A", "B"});
  ASSERT_TRUE(runner_->WaitFor({"never", 1}, last, Soon()).ok());
  EXPECT_EQ(views_->Snapshot({"never", 1})->position(), last);
  EXPECT_TRUE(Rows({"never", 1}).empty() || Rows({"never", 1}) == (RowMap{{"flushed", "0"}}));
}

TEST_F(RunnerTest, ARestartGoesOnWhereItStopped) {
  uint64_t sum = 0;
  for (int round = 0; round < 5; ++round) {
    Runner::Options options;
    options.catch_up_batch_events = 3;
    options.live_batch_events = 2;
    ASSERT_TRUE(StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All()), options).ok());
    Position last;
    for (int commit = 0; commit < 10; ++commit) {
      last = Append(*log_, fmt::format("{}-{}", round, commit), {"A", "B"});
      sum += last.value + last.value - 1;
    }
    if (round % 2 == 0) {
      ASSERT_TRUE(runner_->WaitFor({"all", 1}, last, Soon()).ok());
    }
    runner_.reset();  // in odd rounds somewhere in the middle
    views_.reset();
    views_ = OpenViews(folder_ / "views");
  }
  EXPECT_EQ(Rows({"all", 1}),
            (RowMap{{"A", "50"}, {"B", "50"}, {"flushed", "100"}, {"sum", std::to_string(sum)}}));
}

TEST_F(RunnerTest, APoisonEventStopsItsViewLoudlyAndNoOther) {
  Append(*log_, "before", {"A"});
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("weak", 1, eventstore::Query::All(), "poison"));
  both.push_back(std::make_unique<Tally>("robust", 1, eventstore::Query::All()));
  Runner::Options options;
  options.catch_up_batch_events = options.live_batch_events = 1;
  ASSERT_TRUE(Start(std::move(both), options).ok());
  ASSERT_TRUE(runner_->WaitFor({"weak", 1}, Position(1), Soon()).ok());
  const Position last = Append(*log_, "mixed", {"B", "poison", "C"});

  const absl::Status waited = runner_->WaitFor({"weak", 1}, last, Soon());
  EXPECT_TRUE(absl::IsFailedPrecondition(waited)) << waited;
  const auto weak = runner_->Status({"weak", 1});
  ASSERT_TRUE(weak.ok());
  EXPECT_EQ(weak->state, ViewState::kStopped);
  EXPECT_EQ(weak->position, Position(2));
  EXPECT_EQ(weak->head, last);
  EXPECT_EQ(weak->lag, 2u);
  EXPECT_EQ(weak->error.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(weak->error.message()),
              HasSubstr("mixed#1 at position 3 (poison): cannot be digested"));

  ASSERT_TRUE(runner_->WaitFor({"robust", 1}, last, Soon()).ok());
  EXPECT_EQ(runner_->Status({"robust", 1})->state, ViewState::kLive);
  EXPECT_EQ(Rows({"robust", 1}).at("sum"), "10");
  // What the view had reached can be waited for, and read.
  EXPECT_TRUE(runner_->WaitFor({"weak", 1}, Position(2), Soon()).ok());
  EXPECT_EQ(Rows({"weak", 1}), (RowMap{{"A", "1"}, {"B", "1"}, {"flushed", "2"}, {"sum", "3"}}));
}

// Keeps something of every event that it is shown.
class Hoarder final : public Projection {
 public:
  explicit Hoarder(std::shared_ptr<int> thing) : thing_(std::move(thing)) {}
  std::string_view name() const override { return "hoard"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Hoarder>(thing_); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch&) override {
    if (event.type == "poison") return absl::InternalError("cannot be digested");
    kept_.push_back(thing_);
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<int> thing_;
  std::vector<std::shared_ptr<int>> kept_;
};

TEST_F(RunnerTest, AStoppedViewKeepsNothingInMemory) {
  Append(*log_, "one", {"A", "B", "poison"});
  const auto thing = std::make_shared<int>();
  ASSERT_TRUE(StartOne(std::make_unique<Hoarder>(thing)).ok());
  ASSERT_TRUE(Becomes({"hoard", 1}, ViewState::kStopped));
  EXPECT_EQ(thing.use_count(), 3)
      << "the test's, the code's, and the build's, which begins anew if it ever does";
}

TEST_F(RunnerTest, NothingOfABatchWithAPoisonEventIsStored) {
  Append(*log_, "one", {"A", "B", "poison"});
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("weak", 1, eventstore::Query::All(), "poison")).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->WaitFor({"weak", 1}, Position(1), Soon())));
  EXPECT_EQ(Rows({"weak", 1}), RowMap());
  EXPECT_EQ(views_->Snapshot({"weak", 1})->position(), Position(0));
  // Code that can digest it goes on from there.
  runner_.reset();
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("weak", 1, eventstore::Query::All())).ok());
  ASSERT_TRUE(runner_->WaitFor({"weak", 1}, Position(3), Soon()).ok());
  EXPECT_EQ(Rows({"weak", 1}).at("sum"), "6");
}

TEST_F(RunnerTest, ANewVersionIsBuiltBesideTheOldOneAndEndsEqual) {
  for (int commit = 0; commit < 50; ++commit) Append(*log_, fmt::format("c{}", commit), {"A", "B", "C"});
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All())).ok());
  ASSERT_TRUE(runner_->WaitFor({"all", 1}, Position(150), Soon()).ok());
  runner_.reset();

  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  both.push_back(std::make_unique<Tally>("all", 2, eventstore::Query::All()));
  Runner::Options options;
  options.together_events_max = 10;  // so that the new one is far behind
  options.catch_up_batch_events = 7;
  ASSERT_TRUE(Start(std::move(both), options).ok());
  const Position last = Append(*log_, "more", {"A"});
  ASSERT_TRUE(runner_->WaitFor({"all", 1}, last, Soon()).ok());
  ASSERT_TRUE(runner_->WaitFor({"all", 2}, last, Soon()).ok());
  EXPECT_EQ(Rows({"all", 1}), Rows({"all", 2}));
  EXPECT_EQ(runner_->Statuses()->size(), 2u);
}

TEST_F(RunnerTest, AViewThatIsAheadIsNotShownAnEventTwice) {
  Append(*log_, "one", {"A", "B"});
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("ahead", 1, eventstore::Query::All())).ok());
  ASSERT_TRUE(runner_->WaitFor({"ahead", 1}, Position(2), Soon()).ok());
  runner_.reset();
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("ahead", 1, eventstore::Query::All()));
  both.push_back(std::make_unique<Tally>("fresh", 1, eventstore::Query::All()));
  ASSERT_TRUE(Start(std::move(both)).ok());  // near enough to be read together
  const Position last = Append(*log_, "two", {"C"});
  ASSERT_TRUE(runner_->WaitFor({"ahead", 1}, last, Soon()).ok());
  ASSERT_TRUE(runner_->WaitFor({"fresh", 1}, last, Soon()).ok());
  EXPECT_EQ(Rows({"ahead", 1}).at("sum"), "6");
  EXPECT_EQ(Rows({"fresh", 1}).at("sum"), "6");
}

TEST_F(RunnerTest, WaitingEndsAtTheDeadlineAndWhenTheRunnerStops) {
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All())).ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      runner_->WaitFor({"all", 1}, Position(1000), absl::Now() + absl::Milliseconds(50))));
  EXPECT_TRUE(absl::IsNotFound(runner_->WaitFor({"all", 2}, Position(1), Soon())));
  EXPECT_TRUE(absl::IsNotFound(runner_->Status({"none", 1}).status()));
  std::atomic<bool> waiting = false;
  absl::Status outcome;
  std::thread waiter([&] {
    waiting = true;
    outcome = runner_->WaitFor({"all", 1}, Position(1000), Soon());
  });
  while (!waiting) std::this_thread::yield();
  runner_->Stop();
  waiter.join();
  EXPECT_TRUE(absl::IsUnavailable(outcome)) << outcome;
}

TEST_F(RunnerTest, TwoProjectionsOfOneVersionAreRefused) {
  std::vector<std::unique_ptr<Projection>> twice;
  twice.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  twice.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::Nothing()));
  EXPECT_TRUE(absl::IsAlreadyExists(Start(std::move(twice))));
}

}  // namespace
}  // namespace qinglan::projections
