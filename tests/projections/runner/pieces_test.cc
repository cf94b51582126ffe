// Builds that a crash or a wish left in pieces: they have no rows, so nothing may be read of them or written
// beside the pieces, and no other build is hurt.
#include <absl/synchronization/notification.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::HasSubstr;

const ViewId kView{"all", 1};

std::unique_ptr<Tally> All(uint32_t version = 1) {
  return std::make_unique<Tally>("all", version, eventstore::Query::All());
}

class PiecesTest : public RunnerTest {
 protected:
  // The build of the first two of three events, in pieces.
  void SetUp() override {
    RunnerTest::SetUp();
    const Position stored = Append(*log_, "one", {"A", "A"});
    last_ = Append(*log_, "two", {"A"});
    ASSERT_EQ(views_->MakeView(kView, WhenThere::kAnswer), absl::OkStatus());
    auto bulk = *views_->BeginBulk(kView);
    for (const auto& [key, value] : RowMap{{"A", "2"}, {"sum", "3"}, {"flushed", "2"}}) bulk.Put(key, value);
    ASSERT_EQ(views_->Ingest({&bulk}, {stored, stored, "one#1"}, 2, MoreComes::kYes), absl::OkStatus());
  }
  void Restart() {
    runner_.reset();
    views_.reset();
    views_ = OpenViews(folder_ / "views");
  }
  void ExpectWhole(const RowMap& rows) {
    EXPECT_EQ(rows.at("A"), "3");
    EXPECT_EQ(rows.at("sum"), "6");
  }

  Position last_;
};

// It has read all there is, and a crash came before its rows were made.
TEST_F(PiecesTest, ItIsPutTogetherByTheNextStartHoweverNearItIs) {
  Restart();
  ASSERT_TRUE(StartOne(All()).ok());
  ExpectWhole(Answer("all", last_));
  EXPECT_FALSE(*views_->IsInPieces(kView));
}

// As builds are that were stored before there were generations: those have rows.
TEST_F(PiecesTest, ItDoesNotAnswerThoughNothingSaysThatItIsOnItsWay) {
  ASSERT_EQ(views_->SetWhenThere(kView, std::nullopt), absl::OkStatus());
  Restart();
  ASSERT_TRUE(StartOne(All()).ok());
  ExpectWhole(Answer("all", Position(0)));
}

TEST_F(PiecesTest, ADamagedOneStopsAndAnotherIsMadeBesideIt) {
  views_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "views")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream(entry.path(), std::ios::in | std::ios::out | std::ios::binary) << "damage";
  }
  Restart();
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(All());
  both.push_back(std::make_unique<Tally>("other", 1, eventstore::Query::All()));
  ASSERT_EQ(Start(std::move(both)), absl::OkStatus());
  ExpectWhole(Answer("other", last_));
  ExpectWhole(Answer("all", last_));
  EXPECT_EQ(runner_->Status(kView)->state, ViewState::kStopped);
  EXPECT_TRUE(absl::IsDataLoss(runner_->Status(kView)->error));
  EXPECT_EQ(runner_->Drop(kView), absl::OkStatus());
}

TEST_F(PiecesTest, OneThatRestsIsNotCompared) {
  Restart();
  ASSERT_TRUE(StartOne(All(2)).ok());
  ExpectWhole(Answer("all", last_));
  const auto compared = runner_->Compare(kView, {"all", 2}, 10, Soon());
  EXPECT_TRUE(absl::IsFailedPrecondition(compared.status())) << compared.status();
  EXPECT_THAT(std::string(compared.status().message()), HasSubstr("has no rows"));
}

// Which does not happen: the pieces are made behind the runner's back.
TEST_F(PiecesTest, OneThatIsFollowedAllTheSameStopsAndNoOther) {
  const ViewId odd{"odd", 1};
  ASSERT_EQ(views_->MakeView(odd, WhenThere::kAnswer), absl::OkStatus());
  auto early = *views_->BeginBulk(odd);
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("odd", 1, eventstore::Query::All()));
  both.push_back(std::make_unique<Tally>("other", 1, eventstore::Query::All()));
  ASSERT_EQ(Start(std::move(both)), absl::OkStatus());
  ASSERT_TRUE(Becomes(odd, ViewState::kLive));
  ASSERT_EQ(views_->Ingest({&early}, {last_, last_, "two#0"}, 1, MoreComes::kYes), absl::OkStatus());
  const Position more = Append(*log_, "more", {"B"});
  EXPECT_EQ(Answer("other", more).at("B"), "1");
  EXPECT_TRUE(Becomes(odd, ViewState::kStopped));
  EXPECT_EQ(runner_->Status({"other", 1})->state, ViewState::kLive);
}

// Stands still at an event until it is let go on.
class Gate final : public Projection {
 public:
  struct Signals {
    absl::Notification reached;
    absl::Notification go_on;
  };
  explicit Gate(std::shared_ptr<Signals> signals) : signals_(std::move(signals)) {}
  std::string_view name() const override { return "gate"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return Types({"G"}); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Gate>(signals_); }
  absl::Status Apply(const eventstore::EventView&, ViewBatch&) override {
    if (!signals_->reached.HasBeenNotified()) signals_->reached.Notify();
    signals_->go_on.WaitForNotification();
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<Signals> signals_;
};

// It has stopped when the wish comes, and the rows that it has are made all the same.
TEST_F(RunnerTest, AWishThatEndsARebuildLeavesNobodyInPiecesAtABadEvent) {
  constexpr size_t kEventsPerCommit = 500;
  for (int i = 0; i < 80; ++i) {
    std::vector<std::string> types(kEventsPerCommit, "A");
    if (i == 28) types.back() = "poison";
    if (i == 44) types.back() = "G";
    Append(*log_, fmt::format("c{}", i), types);
  }
  const auto signals = std::make_shared<Gate::Signals>();
  const ViewId weak{"weak", 1};
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("weak", 1, eventstore::Query::All(), "poison"));
  both.push_back(std::make_unique<Gate>(signals));
  Runner::Options options;
  options.together_events_max = 10;
  options.rebuild_memory_bytes_max = 0;  // stored as soon as there is anything
  ASSERT_TRUE(Start(std::move(both), options).ok());
  signals->reached.WaitForNotification();
  EXPECT_TRUE(*views_->IsInPieces(weak));
  std::thread drop([&] { EXPECT_EQ(runner_->Drop({"gate", 1}), absl::OkStatus()); });
  absl::SleepFor(absl::Milliseconds(200));  // so that the builder knows of it
  signals->go_on.Notify();
  drop.join();
  ASSERT_TRUE(Becomes(weak, ViewState::kStopped));
  EXPECT_FALSE(*views_->IsInPieces(weak));
  EXPECT_GT(views_->Snapshot(weak)->position(), Position(0));
}

}  // namespace
}  // namespace qinglan::projections
