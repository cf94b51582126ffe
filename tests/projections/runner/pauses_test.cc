// How long the runner waits before it tries again, as it says it does.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <regex>
#include <sstream>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;
using ::testing::ElementsAre;

const ViewId kView{"asking", 1};

class PausesTest : public RunnerTest {
 protected:
  void SetUp() override {
    RunnerTest::SetUp();
    logger_ = spdlog::default_logger();
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(told_)));
  }
  void TearDown() override {
    RunnerTest::TearDown();
    spdlog::set_default_logger(logger_);
  }

  void StartAsking(Asking::Ask ask, int64_t pause_max_ms) {
    Runner::Options options;
    options.retry_first = absl::Milliseconds(1);
    options.retry_max = absl::Milliseconds(pause_max_ms);
    options.together_events_max = 2;
    ASSERT_EQ(StartOne(std::make_unique<Asking>(std::move(ask)), options), absl::OkStatus());
  }
  // All of the runner's life, which ends with it.
  std::vector<std::string> Pauses() {
    runner_->Stop();
    std::vector<std::string> pauses;
    const std::string told = told_.str();
    const std::regex pause("another attempt in ([^:]+):");
    for (std::sregex_iterator found(told.begin(), told.end(), pause), end; found != end; ++found)
      pauses.push_back((*found)[1]);
    return pauses;
  }

 private:
  std::ostringstream told_;
  std::shared_ptr<spdlog::logger> logger_;
};

// Refuses so often, at whatever it is asked.
absl::Status Refuse(int& times) {
  return times-- > 0 ? absl::UnavailableError("the disk is not there") : absl::OkStatus();
}

TEST_F(PausesTest, TheyDoubleUpToTheLongestWhileViewsAreFollowedAndBeginAnewAfterwards) {
  int first = 4;
  int second = 2;
  StartAsking([&](const EventView& event) { return Refuse(event.position == Position(1) ? first : second); },
              4);
  EXPECT_EQ(Answer("asking", Append(*log_, "one", {"A"})).at("events"), "x");
  EXPECT_EQ(Answer("asking", Append(*log_, "two", {"A"})).at("events"), "xx");
  EXPECT_THAT(Pauses(), ElementsAre("1ms", "2ms", "4ms", "4ms", "1ms", "2ms"));
}

TEST_F(PausesTest, TheyDoubleUpToTheLongestWhileViewsAreBuiltAndBeginAnewAfterwards) {
  Append(*log_, "one", {"A", "A", "A"});
  int first = 4;
  int second = 2;
  bool appended = false;
  const auto ask = [&](const EventView& event) {
    if (event.position > Position(3)) return Refuse(second);
    QL_RETURN_IF_ERROR(Refuse(first));
    // What was built is far from the head again when it is stored: it is built on.
    if (!std::exchange(appended, true)) Append(*log_, "two", {"A", "A", "A"});
    return absl::OkStatus();
  };
  StartAsking(ask, 4);
  EXPECT_EQ(Answer("asking", Position(6)).at("events"), "xxxxxx");
  EXPECT_THAT(Pauses(), ElementsAre("1ms", "2ms", "4ms", "4ms", "1ms", "2ms"));
}

TEST_F(PausesTest, TheyBecomeThirtyTimesAsLongForABuildInPieces) {
  const Position stored = Append(*log_, "one", {"A"});
  Append(*log_, "two", {"A"});
  ASSERT_EQ(views_->MakeView(kView, WhenThere::kAnswer), absl::OkStatus());
  auto piece = *views_->BeginBulk(kView);
  piece.Append("events", "x");
  ASSERT_EQ(views_->Ingest({&piece}, {stored, stored, "one#0"}, 1, MoreComes::kYes), absl::OkStatus());
  int refusals = 8;
  StartAsking([&](const EventView&) { return Refuse(refusals); }, 1);
  EXPECT_EQ(Answer("asking", Position(2)).at("events"), "xx");
  EXPECT_THAT(Pauses(), ElementsAre("1ms", "2ms", "4ms", "8ms", "16ms", "30ms", "30ms", "30ms"));
}

}  // namespace
}  // namespace qinglan::projections
