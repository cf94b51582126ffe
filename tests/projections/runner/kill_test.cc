// A process that dies in the middle of a rebuild, or of an upgrade.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr char kFolder[] = "QINGLAN_TEST_REBUILD_FOLDER";
constexpr char kBegun = '\1';  // that no message has in it
constexpr int kEvents = 60'000;
constexpr int kEventsPerCommit = 500;

// A row for each event, so that every store writes a file of some size; and one that grows with each.
class RowAnEvent final : public Projection {
 public:
  explicit RowAnEvent(uint32_t version = 1) : version_(version) {}
  std::string_view name() const override { return "rows"; }
  uint32_t version() const override { return version_; }
  uint32_t oldest_readable_version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<RowAnEvent>(version_); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override {
    view.Put(fmt::format("{:08}", event.position.value), event.commit_id);
    view.Append("events", "x");
    return absl::OkStatus();
  }

 private:
  const uint32_t version_;
};

const ViewId kRunning{"rows", 1, 1};
const ViewId kBeside{"rows", 1, 2};
const ViewId kNewer{"rows", 2, 1};

Runner::Options SmallSteps() {
  Runner::Options options;
  options.together_events_max = 10;
  options.rebuild_memory_bytes_max = 1;  // stored after every chunk
  return options;
}

absl::StatusOr<std::unique_ptr<Runner>> Follow(eventstore::EventStore& log, ViewStore& views,
                                               uint32_t version = 1) {
  std::vector<std::unique_ptr<Projection>> one;
  one.push_back(std::make_unique<RowAnEvent>(version));
  auto runner = std::make_unique<Runner>(&log, &views, std::move(one), SmallSteps());
  QL_RETURN_IF_ERROR(runner->Start());
  return runner;
}

// Not a test of its own: what the next one runs in a process that it kills.
TEST(RebuildingProcess, DISABLED_RebuildsAndComparesUntilKilled) {
  const char* const folder = std::getenv(kFolder);
  ASSERT_NE(folder, nullptr);
  const auto log = OpenLog(std::string(folder) + "/log");
  const auto views = OpenViews(std::string(folder) + "/views");
  const auto runner = Follow(*log, *views);
  ASSERT_TRUE(runner.ok()) << runner.status();
  while (true) {
    ASSERT_TRUE((*runner)->Rows("rows", *log->Head(), Soon()).ok());  // it answers, and is nothing asked for
    ASSERT_TRUE((*runner)->Rebuild({"rows"}, WhenThere::kStay).ok());
    ASSERT_EQ(write(STDOUT_FILENO, &kBegun, 1), 1);
    ASSERT_EQ((*runner)->WaitFor(kBeside, *log->Head(), Soon()), absl::OkStatus());
    ASSERT_TRUE((*runner)->Drop(kBeside).ok());
  }
}

// Nor this: the program of the next version, which builds its view while the one of before answers.
TEST(UpgradingProcess, DISABLED_BuildsAndAnswersUntilKilled) {
  const char* const folder = std::getenv(kFolder);
  ASSERT_NE(folder, nullptr);
  const auto log = OpenLog(std::string(folder) + "/log");
  const auto views = OpenViews(std::string(folder) + "/views");
  const auto runner = Follow(*log, *views, 2);
  ASSERT_TRUE(runner.ok()) << runner.status();
  ASSERT_TRUE((*runner)->Rows("rows", Position(0), absl::Now()).ok());
  ASSERT_EQ(write(STDOUT_FILENO, &kBegun, 1), 1);
  while (true) ASSERT_TRUE((*runner)->Rows("rows", *log->Head(), Soon()).ok());
}

// Starts such a process and kills it so long after it has begun.
void RunAndKill(const std::string& process, const std::string& folder, absl::Duration after) {
  int begun[2];
  ASSERT_EQ(pipe(begun), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A program of its own: a forked RocksDB would lack its threads.
    setenv(kFolder, folder.c_str(), 1);
    unsetenv("GTEST_FILTER");
    dup2(begun[1], STDOUT_FILENO);
    close(begun[0]);
    close(begun[1]);
    execl("/proc/self/exe", process.c_str(), ("--gtest_filter=" + process + ".*").c_str(), "--gtest_brief=1",
          "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    _exit(1);
  }
  close(begun[1]);
  std::string said;
  char byte = 0;
  ssize_t n = 0;
  while ((n = read(begun[0], &byte, 1)) == 1 && byte != kBegun) said += byte;
  EXPECT_EQ(n, 1) << "it ended by itself: " << said;
  absl::SleepFor(after);
  kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  said.clear();
  while (read(begun[0], &byte, 1) == 1) said += byte;
  EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << said;
  close(begun[0]);
}

size_t IncomingFiles(const std::string& directory) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    count += entry.path().extension() == ".incoming" ? 1 : 0;
  return count;
}

class KillTest : public RunnerTest {};

TEST_F(KillTest, ARebuildThatIsKilledLeavesTheRunningViewAndGoesOnWithTheNextStart) {
  for (int commit = 0; commit < kEvents / kEventsPerCommit; ++commit)
    Append(*log_, fmt::format("c{}", commit), std::vector<std::string>(kEventsPerCommit, "A"));
  {
    const auto runner = Follow(*log_, *views_);
    ASSERT_TRUE(runner.ok()) << runner.status();
    ASSERT_TRUE((*runner)->Rows("rows", Position(kEvents), Soon()).ok());
  }
  const RowMap rows = Rows(kRunning);
  ASSERT_EQ(rows.size(), static_cast<size_t>(kEvents) + 1);
  ASSERT_EQ(rows.at("events").size(), static_cast<size_t>(kEvents));
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 draw(seed);
  int on_its_way = 0;
  for (int round = 0; round < 6 || (on_its_way == 0 && round < 50); ++round) {
    log_.reset();
    views_.reset();
    RunAndKill("RebuildingProcess", folder_ / "", absl::Milliseconds(draw() % 150));
    log_ = OpenLog(folder_ / "log");
    views_ = OpenViews(folder_ / "views");
    EXPECT_EQ(IncomingFiles(folder_ / "views"), 0u);
    EXPECT_THAT(views_->Answering("rows"), Optional(kRunning));
    EXPECT_EQ(Rows(kRunning), rows);
    const auto runner = Follow(*log_, *views_);
    ASSERT_TRUE(runner.ok()) << runner.status();
    EXPECT_TRUE((*runner)->Status(kRunning)->answers);
    if (!(*runner)->Status(kBeside).ok()) continue;  // it was killed between two rebuilds
    ++on_its_way;
    ASSERT_TRUE((*runner)->WaitFor(kBeside, Position(kEvents), Soon()).ok());
    EXPECT_EQ(Rows(kBeside), rows);
    EXPECT_FALSE((*runner)->Status(kBeside)->answers);
    ASSERT_TRUE((*runner)->Drop(kBeside).ok());
  }
  EXPECT_GT(on_its_way, 0) << "no round met a rebuild";
  EXPECT_THAT(views_->Views(), ElementsAre(kRunning));
}

TEST_F(KillTest, AnUpgradeThatIsKilledAnswersAtOnceWithTheOldRowsOrAllTheNew) {
  for (int commit = 0; commit < kEvents / kEventsPerCommit; ++commit)
    Append(*log_, fmt::format("c{}", commit), std::vector<std::string>(kEventsPerCommit, "A"));
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 draw(seed);
  int in_the_midst = 0;
  for (int round = 0; round < 6 || (in_the_midst == 0 && round < 50); ++round) {
    {
      // The program of before, which what the one after it left does not disturb.
      const auto runner = Follow(*log_, *views_);
      ASSERT_TRUE(runner.ok()) << runner.status();
      ASSERT_TRUE((*runner)->Rows("rows", *log_->Head(), Soon()).ok());
      ASSERT_EQ((*runner)->Drop(kNewer).ok(), round > 0);
    }
    const RowMap old_rows = Rows(kRunning);
    const Position last = Append(*log_, fmt::format("more{}", round), {"A"});
    ASSERT_EQ(old_rows.size(), last.value);  // all but the last one's, and the row of all
    log_.reset();
    views_.reset();
    RunAndKill("UpgradingProcess", folder_ / "", absl::Milliseconds(draw() % 150));
    log_ = OpenLog(folder_ / "log");
    views_ = OpenViews(folder_ / "views");
    in_the_midst += views_->Answering("rows") == kRunning ? 1 : 0;
    const auto runner = Follow(*log_, *views_, 2);
    ASSERT_TRUE(runner.ok()) << runner.status();
    {
      const auto at_once = (*runner)->Rows("rows", Position(0), absl::Now());
      ASSERT_TRUE(at_once.ok()) << at_once.status();
      if (at_once->view() == kRunning) {
        EXPECT_EQ(RowsOf(*at_once), old_rows);
        EXPECT_EQ(at_once->position().value, last.value - 1);
      }
    }
    const auto rows = (*runner)->Rows("rows", last, Soon());
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(rows->view(), kNewer);
    EXPECT_EQ(RowsOf(*rows).size(), last.value + 1);
  }
  EXPECT_GT(in_the_midst, 0) << "no round met the building";
}

TEST_F(KillTest, WhatACrashLeftOfAComparisonOrOfAFileIsClearedAway) {
  const Position last = Append(*log_, "one", {"A", "B"});
  {
    const auto runner = Follow(*log_, *views_);
    ASSERT_TRUE(runner.ok()) << runner.status();
    ASSERT_TRUE((*runner)->WaitFor(kRunning, last, Soon()).ok());
    ASSERT_TRUE(views_->MakeView(kBeside, WhenThere::kDrop).ok());
  }
  views_.reset();
  const std::string left_over = folder_ / ("views/" + kBeside.ToString() + ".0.incoming");
  std::ofstream(left_over) << "half a file";
  views_ = OpenViews(folder_ / "views");
  EXPECT_FALSE(std::filesystem::exists(left_over));
  const auto runner = Follow(*log_, *views_);
  ASSERT_TRUE(runner.ok()) << runner.status();
  EXPECT_THAT(views_->Views(), ElementsAre(kRunning));
  EXPECT_TRUE(absl::IsNotFound((*runner)->Status(kBeside).status()));
}

}  // namespace
}  // namespace qinglan::projections
