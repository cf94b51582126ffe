#include "projections/runner/runner.h"

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "tests/projections/runner/log.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;
using ::testing::HasSubstr;

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

// Counts the events that it is shown by type, and adds up their positions: an event lost, repeated or out of
// order shows.
class Tally final : public Projection {
 public:
  Tally(std::string name, uint32_t version, eventstore::Query interest, std::string poison = "")
      : name_(std::move(name)),
        version_(version),
        interest_(std::move(interest)),
        poison_(std::move(poison)) {}

  std::string_view name() const override { return name_; }
  uint32_t version() const override { return version_; }
  eventstore::Query interest() const override { return interest_; }

  absl::Status Apply(const EventView& event, ViewBatch& view) override {
    if (event.type == poison_) return absl::InternalError("cannot be digested");
    QL_RETURN_IF_ERROR(Add(view, std::string(event.type), 1));
    QL_RETURN_IF_ERROR(Add(view, "sum", event.position.value));
    ++unflushed_;
    return absl::OkStatus();
  }
  absl::Status Flush(ViewBatch& view) override { return Add(view, "flushed", std::exchange(unflushed_, 0)); }

 private:
  static absl::Status Add(ViewBatch& view, const std::string& key, uint64_t amount) {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(key));
    uint64_t value = 0;
    if (row.has_value() && !absl::SimpleAtoi(*row, &value)) return absl::InternalError("no number");
    view.Put(key, std::to_string(value + amount));
    return absl::OkStatus();
  }

  std::string name_;
  uint32_t version_;
  eventstore::Query interest_;
  std::string poison_;
  uint64_t unflushed_ = 0;
};

eventstore::Query Types(std::vector<std::string> types) {
  return {{eventstore::QueryItem{std::move(types), {}}}};
}

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = OpenLog(folder_ / "log");
    views_ = OpenViews(folder_ / "views");
  }
  void TearDown() override { runner_.reset(); }

  absl::Status Start(std::vector<std::unique_ptr<Projection>> projections, Runner::Options options = {}) {
    runner_ = std::make_unique<Runner>(log_.get(), views_.get(), std::move(projections), options);
    return runner_->Start();
  }
  absl::Status StartOne(std::unique_ptr<Projection> projection, Runner::Options options = {}) {
    std::vector<std::unique_ptr<Projection>> one;
    one.push_back(std::move(projection));
    return Start(std::move(one), options);
  }
  std::map<std::string, std::string> Rows(const ViewId& view) {
    std::map<std::string, std::string> rows;
    const auto snapshot = views_->Snapshot(view);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_TRUE(snapshot
                    ->Scan({},
                           [&](std::string_view key, std::string_view value) {
                             rows.emplace(key, value);
                             return true;
                           })
                    .ok());
    return rows;
  }

  TestFolder folder_;
  std::unique_ptr<eventstore::RocksEventStore> log_;
  std::unique_ptr<ViewStore> views_;
  std::unique_ptr<Runner> runner_;
};

using RowMap = std::map<std::string, std::string>;

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

TEST_F(RunnerTest, AViewPastTheLogsHeadIsRefused) {
  Append(*log_, "one", {"A", "B"});
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All())).ok());
  ASSERT_TRUE(runner_->WaitFor({"all", 1}, Position(2), Soon()).ok());
  runner_.reset();
  log_ = OpenLog(folder_ / "restored");
  Append(*log_, "one", {"A"});
  const absl::Status started = StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  EXPECT_TRUE(absl::IsFailedPrecondition(started));
  EXPECT_THAT(std::string(started.message()), HasSubstr("has come to position 2, but the log ends at 1"));
}

TEST_F(RunnerTest, AViewOfAnotherLogIsRefused) {
  Append(*log_, "one", {"A"});
  ASSERT_TRUE(StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All())).ok());
  ASSERT_TRUE(runner_->WaitFor({"all", 1}, Position(1), Soon()).ok());
  runner_.reset();
  log_ = OpenLog(folder_ / "other");
  Append(*log_, "another", {"A", "B"});
  const absl::Status started = StartOne(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  EXPECT_TRUE(absl::IsFailedPrecondition(started));
  EXPECT_THAT(std::string(started.message()), HasSubstr("made from another log"));
}

TEST_F(RunnerTest, TwoProjectionsOfOneVersionAreRefused) {
  std::vector<std::unique_ptr<Projection>> twice;
  twice.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::All()));
  twice.push_back(std::make_unique<Tally>("all", 1, eventstore::Query::Nothing()));
  EXPECT_TRUE(absl::IsAlreadyExists(Start(std::move(twice))));
}

}  // namespace
}  // namespace qinglan::projections
