// Views made from the log in one scan: the rows of the live path, whatever the memory and the threads.
#include "projections/rebuild/rebuild.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <random>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;
using ::testing::HasSubstr;

// Says how often the log was read and how much of it.
class CountingLog final : public eventstore::EventStore {
 public:
  explicit CountingLog(eventstore::EventStore& log) : log_(log) {}
  void Append(eventstore::AppendRequest request, AppendDone done) override {
    log_.Append(std::move(request), std::move(done));
  }
  absl::StatusOr<Position> Read(const eventstore::Query& query, const eventstore::ReadOptions& options,
                                eventstore::EventVisitor visit) const override {
    ++reads_;
    return log_.Read(query, options, [&](const EventView& event) {
      ++events_;
      return visit(event);
    });
  }
  absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const override {
    return log_.FindCommit(commit_id);
  }
  absl::StatusOr<Position> Head() const override { return log_.Head(); }
  absl::StatusOr<Position> HeadAt(absl::Time instant) const override { return log_.HeadAt(instant); }
  absl::StatusOr<std::unique_ptr<eventstore::Subscription>> Subscribe(eventstore::Query query,
                                                                      Position after) override {
    return log_.Subscribe(std::move(query), after);
  }

  uint64_t reads() const { return reads_; }
  uint64_t events() const { return events_; }

 private:
  eventstore::EventStore& log_;
  mutable uint64_t reads_ = 0;
  mutable uint64_t events_ = 0;
};

// Rows that come, change and go, by the event's type: a fold that must read what it wrote, however long ago.
// May be split by the key, and keeps what it has until Flush() as the roster does.
class Shelf final : public Projection {
 public:
  explicit Shelf(std::string poison = "", size_t part = 0, size_t parts = 1)
      : poison_(std::move(poison)), part_(part), parts_(parts) {}
  std::string_view name() const override { return "shelf"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return Part(part_, parts_); }
  std::unique_ptr<Projection> Part(size_t part, size_t parts) const override {
    return std::make_unique<Shelf>(poison_, part, parts);
  }
  absl::Status Apply(const EventView& event, ViewBatch& view) override {
    if (event.type == poison_) return absl::InternalError("cannot be digested");
    const std::string key = std::string(event.type.substr(1));
    if (std::hash<std::string>()(key) % parts_ != part_) return absl::OkStatus();
    auto kept = kept_.find(key);
    if (kept == kept_.end()) {
      QL_ASSIGN_OR_RETURN(std::optional<std::string> row, view.Get(key));
      kept = kept_.emplace(key, std::move(row)).first;
    }
    if (event.type.front() == '-') {
      kept->second.reset();
    } else {
      kept->second = kept->second.value_or("") + std::to_string(event.position.value) + " ";
    }
    return absl::OkStatus();
  }
  size_t kept_bytes() const override { return kept_.size() * 64; }
  absl::Status Flush(ViewBatch& view) override {
    for (const auto& [key, row] : kept_) {
      if (row.has_value()) {
        view.Put(key, *row);
      } else {
        view.Delete(key);
      }
    }
    kept_.clear();
    return absl::OkStatus();
  }

 private:
  std::string poison_;
  size_t part_;
  size_t parts_;
  std::map<std::string, std::optional<std::string>> kept_;
};

const ViewId kShelf{"shelf", 1};

class RebuildTest : public RunnerTest {
 protected:
  // Commits of puts ("+7") and deletions ("-7") of 40 keys.
  Position Fill(int commits, uint32_t seed) {
    std::mt19937 draw(seed);
    Position last;
    for (int i = 0; i < commits; ++i) {
      std::vector<std::string> types;
      for (int k = 0; k < 50; ++k)
        types.push_back(fmt::format("{}{}", draw() % 4 == 0 ? '-' : '+', draw() % 40));
      last = Append(*log_, fmt::format("c{}", i), types);
    }
    return last;
  }
  // What plain folding makes of the log.
  RowMap Expected() {
    class Map final : public ViewBatch {
     public:
      absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override {
        const auto row = rows.find(std::string(key));
        return row == rows.end() ? std::optional<std::string>() : row->second;
      }
      void Put(std::string_view key, std::string_view value) override { rows[std::string(key)] = value; }
      void Delete(std::string_view key) override { rows.erase(std::string(key)); }
      void Append(std::string_view key, std::string_view bytes) override { rows[std::string(key)] += bytes; }
      RowMap rows;
    } map;
    Shelf shelf;
    EXPECT_TRUE(log_->Read(eventstore::Query::All(), {},
                           [&](const EventView& event) {
                             return shelf.Apply(event, map).ok() && shelf.Flush(map).ok();
                           })
                    .ok());
    return map.rows;
  }
  // Drops the build if it is there, and begins it anew.
  RebuildTarget Target(const ViewId& view, Projection* projection) {
    EXPECT_TRUE(views_->OpenView(view).ok());
    EXPECT_TRUE(views_->DropView(view).ok());
    EXPECT_TRUE(views_->OpenView(view).ok());
    return {view, projection, Checkpoint(), absl::OkStatus()};
  }
};

TEST_F(RebuildTest, TheRowsAreThoseOfPlainFoldingWhateverTheMemoryAndTheThreads) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  const Position last = Fill(300, seed);
  const RowMap expected = Expected();
  for (const size_t threads : {1, 2, 3}) {
    for (const size_t memory : {size_t{0}, size_t{1000}, size_t{1} << 30}) {
      SCOPED_TRACE(fmt::format("{} threads, {} bytes", threads, memory));
      Shelf shelf;
      std::vector<RebuildTarget> targets = {Target(kShelf, &shelf)};
      RebuildOptions options;
      options.threads = threads;
      options.memory_bytes_max = memory;
      const auto stats = Rebuild(*log_, *views_, targets, options);
      ASSERT_TRUE(stats.ok()) << stats.status();
      EXPECT_TRUE(targets[0].status.ok()) << targets[0].status;
      EXPECT_EQ(stats->events, last.value);
      EXPECT_EQ(targets[0].checkpoint, (Checkpoint{last, last, "c299#49"}));
      EXPECT_EQ(views_->Snapshot(kShelf)->checkpoint(), targets[0].checkpoint);
      EXPECT_EQ(Rows(kShelf), expected);
      // Of 8 chunks, no more than 4 are on their way at a time.
      EXPECT_EQ(stats->stores > 1, memory < 100'000) << stats->stores;
    }
  }
}

TEST_F(RebuildTest, OneScanFeedsAllViews) {
  const Position last = Fill(10, 1);
  CountingLog counting(*log_);
  std::vector<std::unique_ptr<Projection>> projections;
  std::vector<RebuildTarget> targets;
  for (int i = 0; i < 5; ++i) {
    projections.push_back(std::make_unique<Tally>(fmt::format("view{}", i), 1, eventstore::Query::All()));
    targets.push_back(Target({fmt::format("view{}", i), 1}, projections.back().get()));
  }
  const auto stats = Rebuild(counting, *views_, targets, {});
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(counting.reads(), 1u);
  EXPECT_EQ(counting.events(), last.value);
  for (const RebuildTarget& target : targets)
    EXPECT_EQ(Rows(target.view).at("sum"), std::to_string(last.value * (last.value + 1) / 2));
}

// The same with the runner, for views that are new and for those that are asked for again.
TEST_F(RebuildTest, TheRunnerBuildsAllViewsInOneScan) {
  const Position last = Fill(10, 1);
  CountingLog counting(*log_);
  std::vector<std::unique_ptr<Projection>> projections;
  for (int i = 0; i < 5; ++i)
    projections.push_back(std::make_unique<Tally>(fmt::format("view{}", i), 1, eventstore::Query::All()));
  Runner::Options options;
  options.together_events_max = 10;
  Runner runner(&counting, views_.get(), std::move(projections), options);
  ASSERT_TRUE(runner.Start().ok());
  const auto wait = [&](uint32_t generation) {
    for (int i = 0; i < 5; ++i) {
      const ViewId view{fmt::format("view{}", i), 1, generation};
      const absl::Time until = Soon();
      while (runner.Status(view)->state != ViewState::kLive && absl::Now() < until)
        absl::SleepFor(absl::Milliseconds(2));
      EXPECT_EQ(runner.Status(view)->position, last) << view.ToString();
    }
  };
  wait(1);
  EXPECT_EQ(counting.events(), last.value);
  ASSERT_TRUE(runner.Rebuild(runner.Names(), WhenThere::kStay).ok());
  wait(2);
  EXPECT_EQ(counting.events(), 2 * last.value);
}

TEST_F(RebuildTest, APoisonEventStopsItsTargetAndNoOther) {
  const Position before = Append(*log_, "good", {"+1", "+2"});
  Append(*log_, "bad", {"+1", "poison", "+2"});
  const Position last = Append(*log_, "after", {"+1"});
  for (const size_t threads : {1, 2}) {
    Shelf weak("poison");
    Tally strong("strong", 1, eventstore::Query::All());
    std::vector<RebuildTarget> targets = {Target(kShelf, &weak), Target({"strong", 1}, &strong)};
    RebuildOptions options;
    options.threads = threads;
    const auto stats = Rebuild(*log_, *views_, targets, options);
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_TRUE(absl::IsInternal(targets[0].status));
    EXPECT_THAT(std::string(targets[0].status.message()),
                HasSubstr("event bad#1 at position 4 (poison): cannot be digested"));
    EXPECT_EQ(targets[0].checkpoint, Checkpoint()) << "nothing of it was stored";
    EXPECT_TRUE(Rows(kShelf).empty());
    EXPECT_TRUE(targets[1].status.ok());
    EXPECT_EQ(targets[1].checkpoint.position, last);
  }
  EXPECT_EQ(before, Position(2));
}

TEST_F(RebuildTest, WhatWasStoredBeforeItWasEndedIsGoneOnFrom) {
  const Position last = Fill(300, 3);
  const RowMap expected = Expected();
  std::optional<Shelf> shelf(std::in_place);
  std::vector<RebuildTarget> targets = {Target(kShelf, &*shelf)};
  RebuildOptions options;
  options.memory_bytes_max = 0;  // stored as soon as a chunk is folded
  options.progress = [&](Position) { return views_->OpenView(kShelf)->position == Position(0); };
  EXPECT_TRUE(absl::IsCancelled(Rebuild(*log_, *views_, targets, options).status()));
  const Position half = targets[0].checkpoint.position;
  EXPECT_GT(half, Position(0));
  EXPECT_LT(half, last);
  EXPECT_EQ(views_->OpenView(kShelf)->position, half);
  EXPECT_EQ(views_->Snapshot(kShelf)->position(), Position(0)) << "nobody sees half of it";
  shelf.emplace();
  options.progress = nullptr;
  const auto stats = Rebuild(*log_, *views_, targets, options);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->events, last.value - half.value);
  EXPECT_EQ(Rows(kShelf), expected);
}

TEST_F(RebuildTest, ItStopsWhereItWasAskedTo) {
  Fill(4, 5);
  Tally tally("all", 1, eventstore::Query::All());
  std::vector<RebuildTarget> targets = {Target({"all", 1}, &tally)};
  RebuildOptions options;
  options.up_to = Position(100);
  ASSERT_TRUE(Rebuild(*log_, *views_, targets, options).ok());
  EXPECT_EQ(targets[0].checkpoint, (Checkpoint{Position(100), Position(100), "c1#49"}));
  EXPECT_EQ(Rows({"all", 1}).at("sum"), "5050");
}

TEST_F(RebuildTest, ADamagedLogIsToldAndNothingPretendsToBeWhole) {
  std::vector<RebuildTarget> targets;
  Tally tally("all", 1, eventstore::Query::All());
  targets.push_back(Target({"all", 1}, &tally));
  Fill(1, 1);
  class Broken final : public eventstore::EventStore {
   public:
    explicit Broken(eventstore::EventStore& log) : log_(log) {}
    void Append(eventstore::AppendRequest, AppendDone) override {}
    absl::StatusOr<Position> Read(const eventstore::Query& query, const eventstore::ReadOptions& options,
                                  eventstore::EventVisitor visit) const override {
      const auto read = log_.Read(query, options, [&](const EventView& event) {
        return event.position < Position(7) && visit(event);
      });
      return read.ok() ? eventstore::DataLossError(Position(7), "does not parse") : read.status();
    }
    absl::StatusOr<Commit> FindCommit(std::string_view) const override { return absl::NotFoundError(""); }
    absl::StatusOr<Position> Head() const override { return log_.Head(); }
    absl::StatusOr<Position> HeadAt(absl::Time) const override { return log_.Head(); }
    absl::StatusOr<std::unique_ptr<eventstore::Subscription>> Subscribe(eventstore::Query,
                                                                        Position) override {
      return absl::UnimplementedError("");
    }

   private:
    eventstore::EventStore& log_;
  } broken(*log_);
  const auto stats = Rebuild(broken, *views_, targets, {});
  EXPECT_TRUE(absl::IsDataLoss(stats.status())) << stats.status();
  EXPECT_EQ(views_->Snapshot({"all", 1})->checkpoint(), Checkpoint());
}

}  // namespace
}  // namespace qinglan::projections
