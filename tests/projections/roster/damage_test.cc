// Events that cannot be folded, and rows that are damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

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

// As it stands in a row.
std::string Bytes(const Event& event) {
  dossier::v1::RosterRow scratch;
  std::string bytes;
  AppendToRow(event.View(), scratch, bytes);
  return bytes;
}

TEST(FoldRowTest, ARowOfWhichAnythingDoesNotParseIsNotFoldedInPart) {
  std::string sound;
  for (const Event& event : EventsOf(0, kUnfoldedMax)) sound += Bytes(event);
  std::string folded = sound;
  FoldRow(Teacher(0), folded);
  ASSERT_EQ(Parsed(folded).unfolded_size(), 0);
  EXPECT_TRUE(IsFolded(folded));
  const std::string more = Bytes(EventsOf(0, 1).front());
  const std::string no_event = std::string("\x12\x02\xff\xff", 4);
  ASSERT_EQ(more.front(), no_event.front()) << "a field as an event's";
  for (const std::string& rest :
       {no_event, more + no_event, no_event + more, std::string(1, '\0'), more + std::string(1, '\0'),
        std::string("\x12\x7f"), std::string("\xff")}) {
    std::string row = sound + rest;
    FoldRow(Teacher(0), row);
    EXPECT_EQ(row, sound + rest);
    EXPECT_FALSE(IsFolded(row));
    dossier::v1::Dossier dossier;
    dossier.set_teacher_id("as it was");
    EXPECT_TRUE(absl::IsDataLoss(ReadRow(Teacher(0), row, dossier)));
    EXPECT_EQ(dossier.teacher_id(), "as it was");
  }
  // What thread and memory it shares with the damaged ones does not show.
  std::string again = sound + more;
  FoldRow(Teacher(0), again);
  EXPECT_EQ(again, folded + more);
}

// More than is kept from row to row.
TEST(FoldRowTest, AVeryLargeRowIsFoldedAsAnyAndLeavesNothingToTheNext) {
  const std::vector<Event> events = EventsOf(0, 16 * kUnfoldedMax);
  std::string small, large;
  size_t count = 0;
  for (size_t i = 0; i < 2 * kUnfoldedMax; ++i) small += Bytes(events[i]);
  while (large.size() <= size_t{600} << 10 || count % kUnfoldedMax != 0) {
    Event event = events[count % events.size()];
    event.position = Position(++count);
    large += Bytes(event);
  }
  const auto folded_alone = [](std::string row) {
    std::thread([&] { FoldRow(Teacher(0), row); }).join();  // with memory of its own
    return row;
  };
  for (const std::string& row : {small, large, small, large + Bytes(events[0]), small}) {
    std::string folded = row;
    FoldRow(Teacher(0), folded);
    EXPECT_EQ(folded, folded_alone(row));
    EXPECT_LT(Parsed(folded).unfolded_size(), static_cast<int>(kUnfoldedMax));
    dossier::v1::Dossier as_read, as_was;
    ASSERT_EQ(ReadRow(Teacher(0), folded, as_read), absl::OkStatus());
    ASSERT_EQ(ReadRow(Teacher(0), row, as_was), absl::OkStatus());
    EXPECT_EQ(as_read.SerializeAsString(), as_was.SerializeAsString());
  }
}

TEST(RosterTest, ARowThatTheStoreFindsDamagedStopsNobodyElses) {
  class Damaged final : public ViewBatch {
   public:
    absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override {
      if (key == Teacher(0)) return absl::DataLossError("a block");
      return std::optional<std::string>("a row");
    }
    void Put(std::string_view key, std::string_view) override { put.emplace_back(key); }
    void Delete(std::string_view) override {}
    void Append(std::string_view, std::string_view) override {}
    std::vector<std::string> put;
  };
  Damaged batch;
  Roster roster;
  for (const size_t teacher : {0, 1, 0, 1})
    for (const Event& event : EventsOf(teacher, 3 * kUnfoldedMax))
      ASSERT_EQ(roster.Apply(event.View(), batch), absl::OkStatus());
  EXPECT_EQ(roster.Flush(batch), absl::OkStatus());
  EXPECT_EQ(batch.put, std::vector<std::string>{Teacher(1)});
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
