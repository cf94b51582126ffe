// The benchmarks of the views, with tiny numbers: on a log of real records, which they leave as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "eventstore/rocks/rocks_event_store.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "services/qinglan/bench/runs/views.h"
#include "services/qinglan/bench/workload/likeness.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::bench {
namespace {

using eventstore::EventView;

constexpr int kCommits = 30;  // of two events each, of three teachers
constexpr uint64_t kEvents = 2 * kCommits;

class ViewsBenchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto log = Open(like());
    for (int i = 0; i < kCommits; ++i) {
      eventstore::AppendRequest request{.commit_id = fmt::format("c{}", i), .actor = tests::Id("clerk")};
      training::v1::CreditHoursAwarded awarded;
      awarded.set_teacher_id(tests::Id(fmt::format("teacher{}", i % 3)));
      awarded.set_org_id(tests::Id("school"));
      awarded.set_title("reading together");
      awarded.set_credit_tenths(static_cast<uint32_t>(i));
      awarded.set_earned_on("2025-03-01");
      awarded.set_first_day("2025-03-01");
      for (int event = 0; event < 2; ++event) {
        request.events.push_back(runtime::MakeEvent(awarded, absl::CivilDay(2025, 3, 1),
                                                    {"teacher:" + awarded.teacher_id(), "level:county"}));
      }
      ASSERT_TRUE(log->AppendAndWait(std::move(request)).ok());
    }
  }
  static std::unique_ptr<eventstore::RocksEventStore> Open(const std::string& data) {
    std::filesystem::create_directories(data);
    eventstore::RocksEventStore::Options options;
    options.directory = data + "/log";
    auto log = eventstore::RocksEventStore::Open(options);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  ViewsOptions Options(const std::string& data) const {
    ViewsOptions options;
    options.data = folder_.path() + data;
    options.like = like();
    options.events = 170;
    options.runs = 2;
    return options;
  }
  std::string like() const { return folder_.path() + "/like"; }

  tests::TemporaryFolder folder_;
};

TEST_F(ViewsBenchTest, AGrownLogHoldsEveryRecordOncePerCopyAndOfOtherPeople) {
  const auto figures = RunGrow(Options("/grown"));
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ((*figures)["copies"], 3);
  EXPECT_EQ((*figures)["events"], 3 * kEvents);
  const auto log = Open(folder_.path() + "/grown");
  std::map<std::string, int> events_of;
  std::set<std::string> schools;
  ASSERT_TRUE(log->Read(eventstore::Query::All(), {},
                        [&](const EventView& event) {
                          training::v1::CreditHoursAwarded awarded;
                          EXPECT_TRUE(awarded.ParseFromString(std::string(event.payload)));
                          EXPECT_EQ(awarded.teacher_id(), eventstore::TagValue(event, "teacher"));
                          EXPECT_TRUE(event.HasTag("level:county")) << "what is no id stays";
                          EXPECT_EQ(awarded.title(), "reading together");
                          ++events_of[awarded.teacher_id()];
                          schools.insert(awarded.org_id());
                          return true;
                        })
                  .ok());
  EXPECT_EQ(events_of.size(), 9u);
  EXPECT_EQ(schools.size(), 3u);
  for (const auto& [teacher_id, events] : events_of) EXPECT_EQ(events, 20) << teacher_id;
  EXPECT_TRUE(absl::IsFailedPrecondition(RunGrow(Options("/grown")).status())) << "a log is not filled twice";
}

TEST_F(ViewsBenchTest, ARebuildTellsItsFiguresAndLeavesNothingBehind) {
  const auto figures = RunRebuild(Options("/like"));
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ((*figures)["events"], kEvents);
  EXPECT_EQ((*figures)["runs"], 2);
  EXPECT_EQ((*figures)["views"], 2);
  EXPECT_EQ((*figures)["rows_written"], 3) << "each teacher's, once; nothing of theirs waits for anybody";
  EXPECT_GT((*figures)["events_per_second"], 0);
  EXPECT_GE((*figures)["events_per_second_max"], (*figures)["events_per_second_min"]);
  EXPECT_GT((*figures)["peak_memory_bytes"], 1'000'000);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(like())) left.insert(entry.path().filename());
  EXPECT_THAT(left, ::testing::ElementsAre("log"));
  EXPECT_EQ(Open(like())->Head()->value, kEvents);
  EXPECT_TRUE(absl::IsNotFound(RunRebuild(Options("/nothing")).status()));
}

TEST_F(ViewsBenchTest, TheLagOfTheViewsIsToldAtTheRateThatWasAskedFor) {
  ViewsOptions options = Options("/live");
  options.rate = 500;
  options.seconds = 0.4;
  options.warm_up_seconds = 0.1;
  const auto figures = RunViewLag(options);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ((*figures)["events"], 200);
  EXPECT_GT((*figures)["latency_us"]["p50"], 0);
  EXPECT_GE((*figures)["latency_us"]["p99"], (*figures)["latency_us"]["p50"]);
  EXPECT_EQ(Open(folder_.path() + "/live")->Head()->value, 250);
  EXPECT_TRUE(absl::IsFailedPrecondition(RunViewLag(options).status())) << "a log is not filled twice";
}

}  // namespace
}  // namespace qinglan::bench
