#include "projections/roster/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/projections/roster/fed.h"

namespace qinglan::projections {
namespace {

TEST(RosterTest, ADossierIsTheFoldOfItsEventsHoweverManyStandBesideIt) {
  const std::vector<Event> events = History();
  for (size_t known = 1; known <= events.size(); known += 13) {
    const std::vector<Event> first(events.begin(), events.begin() + static_cast<ptrdiff_t>(known));
    const Fed fed(first, 5);
    for (size_t i = 0; i < kTeachers; ++i) {
      const Dossier expected = Folded(first, Teacher(i));
      const auto read = Roster::Read(fed.Rows(), Teacher(i));
      if (expected.ByteSizeLong() == 0) {
        EXPECT_TRUE(absl::IsNotFound(read.status())) << read.status();
        continue;
      }
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->SerializeAsString(), expected.SerializeAsString()) << "after " << known << " events";
    }
  }
}

// Any day can stand in a log, and each is one whatever is used to count it.
TEST(RosterTest, TheDayOfAnEventInARowIsSoManyDaysAfterTheFirst) {
  std::mt19937 draw(1);
  std::vector<int32_t> days = {INT32_MIN, -10'000'001, -10'000'000, -719'528,   -1,         0,
                               1,         10'957,      11'016,      10'000'000, 10'000'001, INT32_MAX};
  for (int i = 0; i < 10'000; ++i) days.push_back(static_cast<int32_t>(draw()) >> (draw() % 31));
  dossier::v1::UnfoldedEvent unfolded;
  for (const int32_t day : days) {
    unfolded.set_occurred_on(day);
    EXPECT_EQ(EventIn(unfolded).occurred_on, absl::CivilDay(1970, 1, 1) + day) << day;
  }
}

TEST(RosterTest, TheRowsAreTheSameHoweverTheEventsWereBatched) {
  const std::vector<Event> events = History();
  const auto one_by_one = Fed(events, 1).AllRows();
  ASSERT_EQ(one_by_one.size(), static_cast<size_t>(kTeachers));
  EXPECT_GT(Parsed(one_by_one.at(Teacher(0))).dossier().evidence_size(), 0) << "some of them are folded";
  for (const size_t batch_size : {size_t{7}, size_t{40}, size_t{100}, events.size()})
    EXPECT_EQ(Fed(events, batch_size).AllRows(), one_by_one) << batch_size;
}

TEST(RosterTest, TheRowsOfARebuildAreTheSameHoweverOftenTheyWereStored) {
  const std::vector<Event> events = History();
  const auto one_by_one = Fed(events, 1).AllRows();
  for (const size_t batch_size : {size_t{3}, size_t{20}, size_t{70}, events.size()}) {
    Fed bulk({}, 1);
    bulk.FeedInBulk(events, batch_size);
    EXPECT_EQ(bulk.AllRows(), one_by_one) << batch_size;
  }
}

// A rebuild that goes on live, is opened anew, and is now and then in the hands of a program that has no code
// of this version: what it finds, puts together and writes out again stays whole.
TEST(RosterTest, TheRowsAreTheSameWhoeverOpenedThemMeanwhile) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 draw(seed);
  const std::vector<Event> events = Histories(8);
  const auto expected = Fed(events, events.size()).AllRows();
  Fed fed({}, 1);
  for (size_t begin = 0; begin < events.size();) {
    const size_t end = std::min<size_t>(events.size(), begin + 1 + draw() % 200);
    const std::vector<Event> some(events.begin() + static_cast<ptrdiff_t>(begin),
                                  events.begin() + static_cast<ptrdiff_t>(end));
    if (draw() % 3 == 0) {
      fed.FeedInBulk(some, 1 + draw() % 100);
    } else {
      fed.Feed(some, 1 + draw() % 50);
    }
    if (draw() % 3 == 0) fed.Open({});
    if (draw() % 3 == 0) fed.Open(RosterFolds());
    begin = end;
  }
  fed.Open(RosterFolds());
  for (size_t i = 0; i < kTeachers; ++i) {
    const auto read = Roster::Read(fed.Rows(), Teacher(i));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->SerializeAsString(), Folded(events, Teacher(i)).SerializeAsString());
  }
  EXPECT_EQ(fed.AllRows(), expected);
}

TEST(RosterTest, ThePartsTogetherMakeTheRowsOfTheWhole) {
  const std::vector<Event> events = History();
  const auto whole = Fed(events, 1).AllRows();
  for (const size_t parts : {2, 3, 5})
    for (const size_t batch_size : {size_t{7}, events.size()})
      EXPECT_EQ(Fed(events, batch_size, parts).AllRows(), whole) << parts << " parts";
}

// Counts what it is given.
class Written final : public ViewBatch {
 public:
  absl::StatusOr<std::optional<std::string>> Get(std::string_view) override {
    ++reads;
    return std::optional<std::string>("a row");
  }
  void Put(std::string_view, std::string_view value) override {
    ++puts;
    bytes += value.size();
  }
  void Delete(std::string_view) override {}
  void Append(std::string_view, std::string_view more) override {
    ++appends;
    bytes += more.size();
  }
  size_t reads = 0, puts = 0, appends = 0, bytes = 0;
};

TEST(RosterTest, AnEventCostsAboutItsOwnSizeAndNotTheDossiers) {
  const std::vector<Event> events = History();
  const Fed fed(events, 1);
  const std::string before = fed.AllRows().at(Teacher(0));
  EXPECT_LT(static_cast<size_t>(Parsed(before).unfolded_size()), kUnfoldedMax);
  Written written;
  Roster roster;
  Event event = events.front();
  event.position = events.back().position.Next();
  ASSERT_EQ(roster.Apply(event.View(), written), absl::OkStatus());
  ASSERT_EQ(roster.Flush(written), absl::OkStatus());
  EXPECT_EQ(written.reads, 0u);
  EXPECT_GT(written.bytes, event.payload.size());
  EXPECT_LT(written.bytes, before.size() / 10);
}

TEST(RosterTest, ARowThatGrowsFastIsWrittenWholeNowAndThenAndOthersAreNot) {
  const auto written = [](size_t teachers) {
    Written batch;
    Roster roster;
    Event event = History().front();
    for (size_t i = 0; i < 5000; ++i) {
      event.position = Position(i + 1);
      event.tags = {"teacher:" + Teacher(i % teachers)};
      EXPECT_EQ(roster.Apply(event.View(), batch), absl::OkStatus());
      EXPECT_EQ(roster.Flush(batch), absl::OkStatus());
    }
    EXPECT_EQ(batch.appends, 5000u);
    EXPECT_EQ(batch.reads, batch.puts);
    return batch.puts;
  };
  EXPECT_GT(written(1), 0u);
  EXPECT_LT(written(1), 5000u / kUnfoldedMax) << "seldom, beside what is folded";
  EXPECT_EQ(written(100), 0u);
}

TEST(RosterTest, ATeacherWithoutEventsHasNoDossier) {
  const Fed fed(History(), 10);
  EXPECT_TRUE(absl::IsNotFound(Roster::Read(fed.Rows(), tests::Id("nobody")).status()));
}

}  // namespace
}  // namespace qinglan::projections
