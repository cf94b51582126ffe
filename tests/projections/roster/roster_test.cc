#include "projections/roster/roster.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "projections/dossier/fold.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using eventstore::Event;
using eventstore::Position;

constexpr int kTeachers = 3;

std::string Teacher(size_t i) { return tests::Id(fmt::format("teacher{}", i)); }

// Events of a few teachers, more of the first than of the last, and some that are none of the roster's
// business.
std::vector<Event> History() {
  std::vector<Event> events;
  const auto add = [&](const eventstore::NewEvent& made) {
    Event event;
    event.position = Position(events.size() + 1);
    event.commit_id = fmt::format("commit-{}", events.size());
    event.type = made.type;
    event.tags = made.tags;
    event.occurred_on = made.occurred_on;
    event.payload = made.payload;
    events.push_back(std::move(event));
  };
  for (int i = 0; i < 150; ++i) {
    const std::string teacher_id = Teacher(static_cast<size_t>(i % 7 < 4 ? 0 : i % 7 < 6 ? 1 : 2));
    const absl::CivilDay day = absl::CivilDay(2025, 1, 1) + i;
    if (i == 0) {
      registry::v1::TeacherRegistered registered;
      registered.set_teacher_id(teacher_id);
      registered.set_teaching_since("2020-09-01");
      add(runtime::MakeEvent(registered, day, {"teacher:" + teacher_id}));
      continue;
    }
    training::v1::CreditHoursAwarded awarded;
    awarded.set_teacher_id(teacher_id);
    awarded.set_title(fmt::format("session {}", i));
    awarded.set_credit_tenths(static_cast<uint32_t>(10 * i));
    awarded.set_earned_on(runtime::IsoDate(day));
    add(runtime::MakeEvent(awarded, day, {"teacher:" + teacher_id}));
  }
  add({"qinglan.portfolio.v1.PortfolioViewed", {"teacher:" + Teacher(0)}, absl::CivilDay(2026, 1, 1), ""});
  return events;
}

// One after the other.
std::vector<Event> Histories(int count) {
  std::vector<Event> events;
  for (int i = 0; i < count; ++i) {
    for (Event& event : History()) {
      event.position = Position(events.size() + 1);
      events.push_back(std::move(event));
    }
  }
  return events;
}

// The first of one teacher's alone.
std::vector<Event> EventsOf(size_t teacher, size_t count) {
  std::vector<Event> events;
  for (Event& event : Histories(3)) {
    if (events.size() == count) break;
    if (IsAboutReading(event.type) || !event.View().HasTag("teacher:" + Teacher(teacher))) continue;
    event.position = Position(events.size() + 1);
    events.push_back(std::move(event));
  }
  return events;
}

Dossier Folded(const std::vector<Event>& events, const std::string& teacher_id) {
  Dossier dossier;
  for (const Event& event : events) {
    const bool named = event.View().HasTag("teacher:" + teacher_id);
    if (!named || IsAboutReading(event.type)) continue;
    EXPECT_TRUE(dossier::FoldEvent(event.View(), teacher_id, dossier).ok());
  }
  return dossier;
}

RowFolds RosterFolds() { return {{{std::string(Roster::kName), Roster::kVersion}, Roster().row_fold()}}; }

// A roster over a view of its own, fed in batches of one size; or several, which are parts of one.
class Fed {
 public:
  Fed(const std::vector<Event>& events, size_t batch_size, size_t parts = 1) {
    Open(RosterFolds());
    Feed(events, batch_size, parts);
  }

  // As a program that has these folds does.
  void Open(RowFolds folds) {
    views_.reset();
    ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    options.write_buffer_bytes = 64 << 10;  // so that rows lie in several files
    options.folds = std::move(folds);
    auto opened = ViewStore::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    views_ = *std::move(opened);
    EXPECT_TRUE(views_->OpenView(Roster::Id()).ok());
  }
  void Feed(const std::vector<Event>& events, size_t batch_size, size_t parts = 1) {
    std::vector<std::unique_ptr<Projection>> rosters;
    for (size_t part = 0; part < parts; ++part) rosters.push_back(Roster().Part(part, parts));
    for (size_t begin = 0; begin < events.size(); begin += batch_size) {
      auto batch = views_->Begin(Roster::Id());
      EXPECT_TRUE(batch.ok()) << batch.status();
      const size_t end = std::min(begin + batch_size, events.size());
      for (const auto& roster : rosters) {
        for (size_t i = begin; i < end; ++i) EXPECT_TRUE(roster->Apply(events[i].View(), *batch).ok());
        if (parts == 1 && end - begin > 1) {
          EXPECT_GT(roster->kept_bytes(), 100u);
        }
        EXPECT_TRUE(roster->Flush(*batch).ok());
        EXPECT_EQ(roster->kept_bytes(), 0u);
      }
      const Event& last = events[end - 1];
      const Checkpoint checkpoint{last.position, last.position, last.View().Id()};
      EXPECT_TRUE(views_->Commit(*std::move(batch), checkpoint).ok());
    }
  }
  // The same as a rebuild does it, stored after each batch.
  void FeedInBulk(const std::vector<Event>& events, size_t batch_size) {
    auto batch = views_->BeginBulk(Roster::Id());
    EXPECT_TRUE(batch.ok()) << batch.status();
    Roster roster;
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(roster.Apply(events[i].View(), *batch).ok());
      if ((i + 1) % batch_size != 0 && i + 1 < events.size()) continue;
      EXPECT_TRUE(roster.Flush(*batch).ok());
      const Checkpoint checkpoint{events[i].position, events[i].position, events[i].View().Id()};
      EXPECT_TRUE(views_->Ingest({&*batch}, checkpoint).ok());
    }
  }

  // Puts an event at the end of Teacher(0)'s row without looking at it.
  void AppendAsItIs(const Event& event) {
    dossier::v1::RosterRow scratch;
    std::string bytes;
    AppendToRow(event.View(), scratch, bytes);
    auto batch = Begin();
    batch.Append(Teacher(0), bytes);
    EXPECT_EQ(Commit(std::move(batch)), absl::OkStatus());
  }

  PendingBatch Begin() const { return *views_->Begin(Roster::Id()); }
  absl::Status Commit(PendingBatch batch) { return views_->Commit(std::move(batch), Rows().checkpoint()); }
  ViewSnapshot Rows() const { return *views_->Snapshot(Roster::Id()); }

  std::map<std::string, std::string> AllRows() const {
    std::map<std::string, std::string> all;
    EXPECT_TRUE(Rows()
                    .Scan({},
                          [&](std::string_view key, std::string_view value) {
                            all.emplace(key, value);
                            return true;
                          })
                    .ok());
    return all;
  }

 private:
  tests::TemporaryFolder folder_;
  std::unique_ptr<ViewStore> views_;
};

dossier::v1::RosterRow Parsed(const std::string& bytes) {
  dossier::v1::RosterRow row;
  EXPECT_TRUE(row.ParseFromString(bytes));
  return row;
}

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

// Counts what it is given. Nothing is stored yet.
class Written final : public ViewBatch {
 public:
  absl::StatusOr<std::optional<std::string>> Get(std::string_view) override {
    ++reads;
    return std::optional<std::string>();
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
    EXPECT_EQ(batch.puts + batch.appends, 5000u);
    EXPECT_EQ(batch.reads, batch.puts);
    return batch.puts;
  };
  EXPECT_GT(written(1), 0u);
  EXPECT_LT(written(1), 5000u / kUnfoldedMax) << "seldom, beside what is folded";
  EXPECT_EQ(written(100), 0u);
}

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
  absl::Status status;
  for (const Event& event : EventsOf(0, kUnfoldedMax)) {
    ASSERT_EQ(status, absl::OkStatus());
    status = roster.Apply(event.View(), batch);
  }
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST(RosterTest, ATeacherWithoutEventsHasNoDossier) {
  const Fed fed(History(), 10);
  EXPECT_TRUE(absl::IsNotFound(Roster::Read(fed.Rows(), tests::Id("nobody")).status()));
}

}  // namespace
}  // namespace qinglan::projections
