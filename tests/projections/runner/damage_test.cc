// A build whose files are damaged while it is followed.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;

const ViewId kOdd{"odd", 1};
const ViewId kAsking{"asking", 1};

class DamageTest : public RunnerTest {
 protected:
  // Follows a build that is interested in Z alone, and one that is refused so often at whatever it is shown.
  void StartBoth() {
    std::vector<std::unique_ptr<Projection>> both;
    both.push_back(std::make_unique<Tally>("odd", 1, Types({"Z"})));
    both.push_back(std::make_unique<Asking>([this](const EventView&) {
      return refusals_-- > 0 ? absl::UnavailableError("the disk is not there") : absl::OkStatus();
    }));
    Runner::Options options;
    options.retry_first = options.retry_max = absl::Milliseconds(20);
    ASSERT_EQ(Start(std::move(both), options), absl::OkStatus());
    for (const ViewId& view : {kOdd, kAsking}) ASSERT_TRUE(Becomes(view, ViewState::kLive));
  }
  // With all rows in files, of which nothing is kept in memory.
  void Restart() {
    runner_.reset();
    views_.reset();
    ViewStore::Options options;
    options.directory = folder_ / "views";
    options.block_cache_bytes = 0;
    auto opened = ViewStore::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    views_ = *std::move(opened);
    ASSERT_NO_FATAL_FAILURE(StartBoth());
  }
  // The first block, where the checkpoint is, of each file with such a row. How many files there were.
  int Damage(const std::string& row) const {
    int damaged = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "views")) {
      if (entry.path().extension() != ".sst") continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (bytes.find(row) == std::string::npos) continue;
      file.seekp(0);
      file << "damage";
      ++damaged;
    }
    return damaged;
  }

  std::atomic<int> refusals_ = 0;
};

TEST_F(DamageTest, ACheckpointThatIsDamagedWhenItIsReadAgainStopsItsOwnBuildAlone) {
  ASSERT_NO_FATAL_FAILURE(StartBoth());
  const Position stored = Append(*log_, "one", {"Z"});
  for (const ViewId& view : {kOdd, kAsking})
    ASSERT_EQ(runner_->WaitFor(view, stored, Soon()), absl::OkStatus());
  ASSERT_NO_FATAL_FAILURE(Restart());
  ASSERT_EQ(Damage("flushed"), 1) << "which the other build has no row of";
  refusals_ = 1;  // after which the checkpoints of all are read again
  const Position last = Append(*log_, "two", {"A"});
  EXPECT_EQ(Answer("asking", last).at("events"), "xx");
  EXPECT_EQ(runner_->Status(kAsking)->state, ViewState::kLive);
  ASSERT_TRUE(Becomes(kOdd, ViewState::kStopped));
  EXPECT_TRUE(absl::IsDataLoss(runner_->Status(kOdd)->error)) << runner_->Status(kOdd)->error;
  EXPECT_EQ(runner_->Status(kOdd)->position, stored);
}

}  // namespace
}  // namespace qinglan::projections
