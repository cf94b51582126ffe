// Events that cannot be folded, and rows that are damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/roster/fed.h"

namespace qinglan::projections {
namespace {

TEST(RosterTest, APayloadThatIsNotWhatItSaysIsAnErrorAtThisVeryEvent) {
  const std::vector<Event> events = History();
  ASSERT_FALSE(events.empty());
  Event broken = events.front();
  broken.position = Position(events.size() + 1);
  broken.type = registry::v1::TeacherRegistered::descriptor()->full_name();
  broken.payload = "\xff\xff\xff";
  const Fed fed(events, 7);
  auto batch = fed.Begin();
  const absl::Status status = Roster().Apply(broken.View(), batch);
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr(fmt::format("position {} does not parse", broken.position.value)));
}

// The log allows any bytes; a dossier that holds such an id would never parse again.
TEST(RosterTest, AnIdThatIsNotUtf8IsAnErrorAtThisVeryEvent) {
  for (const size_t broken : {size_t{0}, kUnfoldedMax - 1, kUnfoldedMax}) {
    for (const bool teacher : {false, true}) {
      std::vector<Event> events = EventsOf(0, kUnfoldedMax + 1);
      if (teacher) {
        events[broken].tags.push_back("teacher:\xff");
      } else {
        events[broken].commit_id = "commit-\xff";
      }
      const std::vector<Event> sound(events.begin(), events.begin() + static_cast<ptrdiff_t>(broken));
      const Fed fed(sound, 50);
      auto batch = fed.Begin();
      const absl::Status status = Roster().Apply(events[broken].View(), batch);
      EXPECT_TRUE(absl::IsInternal(status)) << status;
      EXPECT_THAT(std::string(status.message()),
                  testing::HasSubstr(fmt::format("position {} is not UTF-8", broken + 1)));
      if (broken == 0) continue;
      const auto read = Roster::Read(fed.Rows(), Teacher(0));
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->SerializeAsString(), Folded(sound, Teacher(0)).SerializeAsString());
    }
  }
}

TEST(RosterTest, AnIdThatIsNotUtf8AndStandsInARowIsNeverFoldedIn) {
  for (const size_t batch_size : {size_t{5}, size_t{200}}) {
    Fed fed({}, 1);
    std::vector<Event> events = EventsOf(0, 2 * kUnfoldedMax);
    events.front().commit_id = "commit-\xff";
    fed.AppendAsItIs(events.front());
    events.erase(events.begin());
    fed.Feed(events, batch_size);
    fed.Open(RosterFolds());
    const auto read = Roster::Read(fed.Rows(), Teacher(0));
    EXPECT_TRUE(absl::IsInternal(read.status())) << read.status();
    EXPECT_EQ(Parsed(fed.AllRows().at(Teacher(0))).unfolded_size(), static_cast<int>(2 * kUnfoldedMax));
  }
}

// As a program whose code has another opinion of the event might have left it.
TEST(RosterTest, AnEventInARowThatCannotBeFoldedStaysThereAndIsToldToWhoeverReadsIt) {
  const std::vector<Event> events = Histories(2);
  std::map<std::string, std::string> rows;
  for (const size_t batch_size : {size_t{1}, size_t{5}, size_t{200}}) {
    SCOPED_TRACE(batch_size);
    Fed fed({}, 1);
    Event broken = events.front();
    broken.payload = "\xff\xff\xff";
    fed.AppendAsItIs(broken);
    fed.Feed(events, batch_size);
    fed.Open(RosterFolds());  // what was in memory is in a file by now
    const auto read = Roster::Read(fed.Rows(), Teacher(0));
    EXPECT_TRUE(absl::IsInternal(read.status())) << read.status();
    EXPECT_THAT(std::string(read.status().message()), testing::HasSubstr("position 1 does not parse"));
    const auto row = Parsed(fed.AllRows().at(Teacher(0)));
    EXPECT_FALSE(row.has_dossier());
    EXPECT_GT(static_cast<size_t>(row.unfolded_size()), 2 * kUnfoldedMax) << "nothing is lost";
    EXPECT_EQ(row.unfolded(0).payload(), broken.payload);
    EXPECT_TRUE(Roster::Read(fed.Rows(), Teacher(1)).ok()) << "nobody else is hurt";
    if (rows.empty()) rows = fed.AllRows();
    EXPECT_EQ(fed.AllRows(), rows);
  }
}

TEST(RosterTest, ADamagedRowIsDataLossAndStaysAsItIsHoweverTheEventsAreBatched) {
  const std::vector<Event> events = Histories(2);
  std::map<std::string, std::string> rows;
  for (const size_t batch_size : {size_t{1}, size_t{5}, size_t{200}}) {
    SCOPED_TRACE(batch_size);
    Fed fed({}, 1);
    auto batch = fed.Begin();
    batch.Put(Teacher(0), "\x0a\xff");
    ASSERT_EQ(fed.Commit(std::move(batch)), absl::OkStatus());
    fed.Feed(events, batch_size);
    EXPECT_TRUE(absl::IsDataLoss(Roster::Read(fed.Rows(), Teacher(0)).status()));
    EXPECT_TRUE(fed.AllRows().at(Teacher(0)).starts_with("\x0a\xff"));
    EXPECT_TRUE(Roster::Read(fed.Rows(), Teacher(1)).ok()) << "nobody else is hurt";
    if (rows.empty()) rows = fed.AllRows();
    EXPECT_EQ(fed.AllRows(), rows);
  }
}

TEST(RosterTest, ARowThatCannotBeReadNowStopsTheBatchAndIsNotTakenForDamaged) {
  class Unreadable final : public ViewBatch {
   public:
    absl::StatusOr<std::optional<std::string>> Get(std::string_view) override {
      return absl::UnavailableError("the disk");
    }
    void Put(std::string_view, std::string_view) override {}
    void Delete(std::string_view) override {}
    void Append(std::string_view, std::string_view) override {}
  };
  Unreadable batch;
  Roster roster;
  for (const Event& event : EventsOf(0, 6 * kUnfoldedMax))
    ASSERT_EQ(roster.Apply(event.View(), batch), absl::OkStatus());
  const absl::Status status = roster.Flush(batch);  // so many that the row is written whole
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

}  // namespace
}  // namespace qinglan::projections
