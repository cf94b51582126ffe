// A disk that refuses the views' writes for a while.
#include <atomic>
#include <optional>

#include "tests/harness/file_size_limit.h"
#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::HasSubstr;

constexpr size_t kRowBytes = 200'000;
constexpr size_t kFileBytesMax = 500'000;

// A large row for each event, so that the views' files outgrow a limit that the log's do not meet.
class Bulky final : public Projection {
 public:
  std::string_view name() const override { return "bulky"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Bulky>(); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override {
    view.Put(std::to_string(event.position.value), std::string(kRowBytes, 'x'));
    view.Append("events", "x");
    return absl::OkStatus();
  }
};

// A large row for each event, of noise that no compression makes small.
class Noisy final : public Projection {
 public:
  std::string_view name() const override { return "all"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Noisy>(); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch& rows) override {
    std::string noise;
    uint64_t state = event.position.value;
    while (noise.size() < kRowBytes) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      noise += static_cast<char>(state >> 56);
    }
    rows.Put(std::to_string(event.position.value), noise);
    rows.Append("events", "x");
    return absl::OkStatus();
  }
};

// A bulky view, and four events for which its disk has no room any more.
class RefusedTest : public RunnerTest {
 protected:
  // With the first event in the view and the view trying again.
  void Refuse(absl::Duration retry) {
    Runner::Options options;
    options.retry_first = options.retry_max = retry;
    ASSERT_TRUE(StartOne(std::make_unique<Bulky>(), options).ok());
    Append(*log_, "first", {"A"});
    ASSERT_TRUE(runner_->WaitFor(view_, Position(1), Soon()).ok());
    limit_.emplace(kFileBytesMax);
    for (int i = 0; i < 4; ++i) Append(*log_, fmt::format("refused{}", i), {"A"});
    ASSERT_TRUE(Becomes(view_, ViewState::kRetrying));
  }

  const ViewId view_{"bulky", 1};
  std::optional<tests::FileSizeLimit> limit_;
};

TEST_F(RefusedTest, ADiskThatRefusesIsTriedAgainUntilItRecovers) {
  ASSERT_NO_FATAL_FAILURE(Refuse(absl::Milliseconds(20)));
  const auto status = runner_->Status(view_);
  EXPECT_LT(status->position, Position(5));
  EXPECT_THAT(std::string(status->error.message()), HasSubstr("views:"));
  EXPECT_TRUE(
      absl::IsDeadlineExceeded(runner_->WaitFor(view_, Position(5), absl::Now() + absl::Milliseconds(100))));
  limit_.reset();
  ASSERT_TRUE(Becomes(view_, ViewState::kLive));
  const Position last = Append(*log_, "last", {"A"});
  ASSERT_TRUE(runner_->WaitFor(view_, last, Soon()).ok());
  const RowMap rows = Answer("bulky", last);
  EXPECT_EQ(rows.size(), 6u + 1) << "nothing lost";
  EXPECT_EQ(rows.at("events"), "xxxxxx") << "nor done twice";
  EXPECT_TRUE(runner_->Status(view_)->error.ok());
}

// Reads a row when a batch ends, which the disk refuses twice.
class Careful final : public Projection {
 public:
  explicit Careful(std::shared_ptr<std::atomic<int>> refusals) : refusals_(std::move(refusals)) {}
  std::string_view name() const override { return "careful"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Careful>(refusals_); }
  absl::Status Apply(const eventstore::EventView&, ViewBatch& view) override {
    view.Append("events", "x");
    return absl::OkStatus();
  }
  absl::Status Flush(ViewBatch&) override {
    return --*refusals_ >= 0 ? absl::UnavailableError("a row cannot be read") : absl::OkStatus();
  }

 private:
  const std::shared_ptr<std::atomic<int>> refusals_;  // still to come
};

TEST_F(RunnerTest, ARowThatTheDiskDoesNotGiveIsAskedForAgain) {
  Runner::Options options;
  options.retry_first = options.retry_max = absl::Milliseconds(20);
  const auto refusals = std::make_shared<std::atomic<int>>(0);
  std::vector<std::unique_ptr<Projection>> projections;
  projections.push_back(std::make_unique<Careful>(refusals));
  projections.push_back(std::make_unique<Tally>("other", 1, eventstore::Query::All()));
  ASSERT_TRUE(Start(std::move(projections), options).ok());
  ASSERT_TRUE(Becomes({"careful", 1}, ViewState::kLive));
  *refusals = 2;
  const Position last = Append(*log_, "first", {"A"});
  EXPECT_EQ(Answer("careful", last).at("events"), "x");
  EXPECT_EQ(Answer("other", last).at("A"), "1");
  EXPECT_LT(*refusals, 0) << "it was refused, and asked again";
  EXPECT_EQ(runner_->Status({"careful", 1})->state, ViewState::kLive);
}

class RebuildRefusedTest : public RunnerTest {
 protected:
  // Eight events of a type, which a start builds views from and does not follow.
  Runner::Options RebuildOfEight(const std::string& type) {
    for (int i = 0; i < 8; ++i) Append(*log_, fmt::format("c{}", i), {type});
    Runner::Options options;
    options.retry_first = options.retry_max = absl::Milliseconds(20);
    options.together_events_max = 2;
    return options;
  }
};

TEST_F(RebuildRefusedTest, ARebuildWhoseDiskRefusesIsTriedAgainUntilItRecovers) {
  const Runner::Options options = RebuildOfEight("A");
  const ViewId view{"all", 1};
  auto limit = std::make_unique<tests::FileSizeLimit>(kFileBytesMax);
  // A rebuild reads nothing that it could refuse: the file of rows is what does not fit.
  ASSERT_TRUE(StartOne(std::make_unique<Noisy>(), options).ok());
  ASSERT_TRUE(Becomes(view, ViewState::kRetrying));
  EXPECT_EQ(runner_->Status(view)->position, Position(0));
  limit.reset();
  const RowMap rows = Answer("all", Position(8));
  EXPECT_EQ(rows.size(), 8u + 1);
  EXPECT_EQ(rows.at("events"), "xxxxxxxx");
}

TEST_F(RebuildRefusedTest, AViewThatStopsInARebuildWhoseDiskRefusesIsNotTakenForOneThatIsTriedAgain) {
  const Runner::Options options = RebuildOfEight("poison");
  const ViewId weak{"weak", 1};
  auto limit = std::make_unique<tests::FileSizeLimit>(kFileBytesMax);
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Tally>("weak", 1, eventstore::Query::All(), "poison"));
  both.push_back(std::make_unique<Noisy>());
  ASSERT_TRUE(Start(std::move(both), options).ok());
  ASSERT_TRUE(Becomes({"all", 1}, ViewState::kRetrying));
  EXPECT_EQ(runner_->Status(weak)->state, ViewState::kStopped);
  limit.reset();
  EXPECT_EQ(Answer("all", Position(8)).size(), 8u + 1);
  EXPECT_EQ(runner_->Status(weak)->state, ViewState::kStopped);
}

TEST_F(RebuildRefusedTest, AViewThatIsMadeDoesNotWaitForOneThatIsTriedAgain) {
  Runner::Options options = RebuildOfEight("A");
  options.retry_first = options.retry_max = absl::Hours(1);
  const tests::FileSizeLimit limit(kFileBytesMax);
  std::vector<std::unique_ptr<Projection>> both;
  both.push_back(std::make_unique<Noisy>());
  both.push_back(std::make_unique<Tally>("small", 1, eventstore::Query::All()));
  ASSERT_TRUE(Start(std::move(both), options).ok());
  ASSERT_TRUE(Becomes({"all", 1}, ViewState::kRetrying));
  EXPECT_EQ(Answer("small", Position(8)).at("A"), "8");
  EXPECT_EQ(Answer("small", Append(*log_, "more", {"A"})).at("A"), "9");
  EXPECT_EQ(runner_->Status({"all", 1})->state, ViewState::kRetrying);
}

// All but the last event of a view have been stored in pieces of two rows.
class PiecesRefusedTest : public RebuildRefusedTest {
 protected:
  Runner::Options PiecesOfEight() {
    const Runner::Options options = RebuildOfEight("A");
    EXPECT_EQ(views_->MakeView(view_, WhenThere::kAnswer), absl::OkStatus());
    auto piece = *views_->BeginBulk(view_);
    Noisy noisy;
    eventstore::EventView event;
    for (uint64_t position = 1; position < 8; ++position) {
      event.position = Position(position);
      EXPECT_EQ(noisy.Apply(event, piece), absl::OkStatus());
      if (position % 2 == 0 || position == 7) {
        const Checkpoint to{event.position, event.position, fmt::format("c{}#0", position - 1)};
        EXPECT_EQ(views_->Ingest({&piece}, to, 1, MoreComes::kYes), absl::OkStatus());
      }
    }
    return options;
  }

  const ViewId view_{"all", 1};
};

TEST_F(PiecesRefusedTest, RowsThatCannotBePutTogetherAreTriedAgainAndHoldUpNoOther) {
  const Runner::Options options = PiecesOfEight();
  ASSERT_EQ(StartOne(std::make_unique<Tally>("early", 1, eventstore::Query::All())), absl::OkStatus());
  ASSERT_TRUE(Becomes({"early", 1}, ViewState::kLive));
  runner_.reset();
  auto limit = std::make_unique<tests::FileSizeLimit>(kRowBytes * 3 / 2);
  std::vector<std::unique_ptr<Projection>> three;
  three.push_back(std::make_unique<Tally>("early", 1, eventstore::Query::All()));
  three.push_back(std::make_unique<Noisy>());
  three.push_back(std::make_unique<Tally>("late", 1, eventstore::Query::All()));
  ASSERT_EQ(Start(std::move(three), options), absl::OkStatus());
  ASSERT_TRUE(Becomes(view_, ViewState::kRetrying));
  const Position last = Append(*log_, "more", {"A"});
  for (const char* other : {"early", "late"}) EXPECT_EQ(Answer(other, last).at("A"), "9");
  EXPECT_TRUE(*views_->IsInPieces(view_));
  EXPECT_EQ(runner_->Status(view_)->position, Position(0)) << "it has no rows";
  limit.reset();
  const RowMap rows = Answer("all", last);
  EXPECT_EQ(rows.size(), 9u + 1) << "nothing lost";
  EXPECT_EQ(rows.at("events"), "xxxxxxxxx") << "nor done twice";
  EXPECT_FALSE(*views_->IsInPieces(view_));
}

// What a commit that failed left whole in the write-ahead log, and what comes back when the database is
// opened anew: the test does both before the runner's next attempt.
void ComeBack(ViewStore& views, const ViewId& view, Position after, Position last) {
  ASSERT_EQ(views.Recover(), absl::OkStatus());
  auto batch = views.Begin(view);
  ASSERT_TRUE(batch.ok()) << batch.status();
  batch->Append("events", std::string(last.value - after.value, 'x'));
  ASSERT_EQ(views.Commit(*std::move(batch), {last, last, "stored#0"}), absl::OkStatus());
}

TEST_F(RefusedTest, WhatWasStoredThoughItsCommitFailedIsNotAppliedOnceMore) {
  ASSERT_NO_FATAL_FAILURE(Refuse(absl::Seconds(2)));
  limit_.reset();
  const Position before = runner_->Status(view_)->position;
  ASSERT_LT(before, Position(5));
  ASSERT_NO_FATAL_FAILURE(ComeBack(*views_, view_, before, Position(5)));
  ASSERT_TRUE(Becomes(view_, ViewState::kLive));
  const Position last = Append(*log_, "last", {"A"});
  ASSERT_TRUE(runner_->WaitFor(view_, last, Soon()).ok());
  EXPECT_EQ(Answer("bulky", last).at("events"), "xxxxxx");
}

TEST_F(RunnerTest, WhatARebuildStoredThoughItFailedIsNotAppliedOnceMore) {
  for (int i = 0; i < 8; ++i) Append(*log_, fmt::format("c{}", i), {"A"});
  Runner::Options options;
  options.retry_first = options.retry_max = absl::Seconds(2);
  options.together_events_max = 2;
  const ViewId view{"all", 1};
  auto limit = std::make_unique<tests::FileSizeLimit>(kFileBytesMax);
  ASSERT_TRUE(StartOne(std::make_unique<Noisy>(), options).ok());
  ASSERT_TRUE(Becomes(view, ViewState::kRetrying));
  limit.reset();
  ASSERT_NO_FATAL_FAILURE(ComeBack(*views_, view, Position(0), Position(4)));
  const RowMap rows = Answer("all", Position(8));
  EXPECT_EQ(rows.size(), 4u + 1) << "those after what is stored";
  EXPECT_EQ(rows.at("events"), "xxxxxxxx");
}

}  // namespace
}  // namespace qinglan::projections
