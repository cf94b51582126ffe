#include "projections/roster/roster.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

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

Dossier Folded(const std::vector<Event>& events, const std::string& teacher_id) {
  Dossier dossier;
  for (const Event& event : events) {
    const bool named = event.View().HasTag("teacher:" + teacher_id);
    if (!named || IsAboutReading(event.type)) continue;
    EXPECT_TRUE(dossier::FoldEvent(event.View(), teacher_id, dossier).ok());
  }
  return dossier;
}

// A roster over a view of its own, fed in batches of one size; or several, which are parts of one.
class Fed {
 public:
  Fed(const std::vector<Event>& events, size_t batch_size, size_t parts = 1) {
    ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    auto opened = ViewStore::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    views_ = *std::move(opened);
    EXPECT_TRUE(views_->OpenView(Roster::Id()).ok());
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

  PendingBatch Begin() const { return *views_->Begin(Roster::Id()); }
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
  EXPECT_GT(one_by_one.size(), static_cast<size_t>(2 * kTeachers));
  EXPECT_EQ(Fed(events, 7).AllRows(), one_by_one);
  EXPECT_EQ(Fed(events, events.size()).AllRows(), one_by_one);
}

TEST(RosterTest, ThePartsTogetherMakeTheRowsOfTheWhole) {
  const std::vector<Event> events = History();
  const auto whole = Fed(events, 1).AllRows();
  for (const size_t parts : {2, 3, 5})
    for (const size_t batch_size : {size_t{7}, events.size()})
      EXPECT_EQ(Fed(events, batch_size, parts).AllRows(), whole) << parts << " parts";
}

TEST(RosterTest, AnEventCostsAboutItsOwnSizeAndNotTheDossiers) {
  const std::vector<Event> events = History();
  const auto rows = Fed(events, 1).AllRows();
  size_t beside = 0;
  for (const auto& [key, value] : rows) beside += key.size() == Teacher(0).size() + 2 ? 1 : 0;
  EXPECT_LT(beside, kTeachers * Roster::kUnfoldedMax);
  EXPECT_GT(rows.at(Teacher(0)).size(), 10 * rows.at(Teacher(0) + "#" + std::string(1, '\0')).size());
}

// Later events of the teacher's are what makes the roster look into it.
TEST(RosterTest, APayloadThatIsNotWhatItSaysIsAnErrorThatNamesIt) {
  const std::vector<Event> events = History();
  ASSERT_FALSE(events.empty());
  Event broken = events.front();
  broken.type = registry::v1::TeacherRegistered::descriptor()->full_name();
  broken.payload = "\xff\xff\xff";
  const Fed fed(events, 7);
  auto batch = fed.Begin();
  Roster roster;
  absl::Status status = roster.Apply(broken.View(), batch);
  Event sound = broken;
  sound.payload.clear();
  for (size_t i = 0; status.ok() && i < Roster::kUnfoldedMax; ++i) {
    sound.position = sound.position.Next();
    status = roster.Apply(sound.View(), batch);
  }
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr(fmt::format("position {} does not parse", broken.position.value)));
}

TEST(RosterTest, ATeacherWithoutEventsHasNoDossier) {
  const Fed fed(History(), 10);
  EXPECT_TRUE(absl::IsNotFound(Roster::Read(fed.Rows(), tests::Id("nobody")).status()));
}

}  // namespace
}  // namespace qinglan::projections
