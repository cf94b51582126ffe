// What the roster's tests share: the events of a few teachers, and a roster that is fed with them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "projections/dossier/fold.h"
#include "projections/roster/roster.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::projections {

using dossier::v1::Dossier;
using eventstore::Event;
using eventstore::Position;

constexpr int kTeachers = 3;

inline std::string Teacher(size_t i) { return tests::Id(fmt::format("teacher{}", i)); }

// Events of a few teachers, more of the first than of the last, and some that are none of the roster's
// business.
inline std::vector<Event> History() {
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
    awarded.set_first_day(awarded.earned_on());
    add(runtime::MakeEvent(awarded, day, {"teacher:" + teacher_id}));
  }
  add({"qinglan.portfolio.v1.PortfolioViewed", {"teacher:" + Teacher(0)}, absl::CivilDay(2026, 1, 1), ""});
  return events;
}

// One after the other.
inline std::vector<Event> Histories(int count) {
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
inline std::vector<Event> EventsOf(size_t teacher, size_t count) {
  std::vector<Event> events;
  for (Event& event : Histories(3)) {
    if (events.size() == count) break;
    if (IsAboutReading(event.type) || !event.View().HasTag("teacher:" + Teacher(teacher))) continue;
    event.position = Position(events.size() + 1);
    events.push_back(std::move(event));
  }
  return events;
}

inline Dossier Folded(const std::vector<Event>& events, const std::string& teacher_id) {
  Dossier dossier;
  for (const Event& event : events) {
    const bool named = event.View().HasTag("teacher:" + teacher_id);
    if (!named || IsAboutReading(event.type)) continue;
    EXPECT_TRUE(dossier::FoldEvent(event.View(), teacher_id, dossier).ok());
  }
  return dossier;
}

inline RowFolds RosterFolds() {
  return {{{std::string(Roster::kName), Roster::kVersion}, Roster().row_fold()}};
}

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
        EXPECT_TRUE(roster->Flush(*batch).ok());
      }
      const Event& last = events[end - 1];
      const Checkpoint checkpoint{last.position, last.position, last.View().Id()};
      EXPECT_TRUE(views_->Commit(*std::move(batch), checkpoint).ok());
    }
  }
  // The same as a rebuild does it, stored after each batch; all but the last as if more came.
  void FeedInBulk(const std::vector<Event>& events, size_t batch_size) {
    auto batch = views_->BeginBulk(Roster::Id());
    EXPECT_TRUE(batch.ok()) << batch.status();
    Roster roster;
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(roster.Apply(events[i].View(), *batch).ok());
      if ((i + 1) % batch_size != 0 && i + 1 < events.size()) continue;
      EXPECT_TRUE(roster.Flush(*batch).ok());
      const Checkpoint checkpoint{events[i].position, events[i].position, events[i].View().Id()};
      const MoreComes more = i + 1 < events.size() ? MoreComes::kYes : MoreComes::kNo;
      EXPECT_TRUE(views_->Ingest({&*batch}, checkpoint, 2, more).ok());
    }
    EXPECT_EQ(views_->PutTogether(Roster::Id(), 2), absl::OkStatus());
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

inline dossier::v1::RosterRow Parsed(const std::string& bytes) {
  dossier::v1::RosterRow row;
  EXPECT_TRUE(row.ParseFromString(bytes));
  return row;
}

}  // namespace qinglan::projections
