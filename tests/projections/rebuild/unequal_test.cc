// Views that take very different memory: the large one is stored again and again, in pieces, the small one
// now and then, so that they come to different positions; and each goes on from its own.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include "projections/rebuild/rebuild.h"
#include "tests/harness/file_size_limit.h"
#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;

constexpr size_t kMemoryBytesMax = size_t{16} << 20;  // of which the small view takes one
constexpr size_t kRowBytes = 8000;                    // so that a chunk of events does not fit
constexpr int kEventsPerCommit = 500;

// A row for each event, and one that grows with each.
class Heap final : public Projection {
 public:
  std::string_view name() const override { return "heap"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Heap>(); }
  absl::Status Apply(const EventView& event, ViewBatch& view) override {
    view.Put(fmt::format("{:08}", event.position.value), std::string(kRowBytes, 'x'));
    view.Append("events", "x");
    return absl::OkStatus();
  }
};

// Ends a rebuild at an event, as a crash does: nothing is stored any more.
class Crash final : public Projection {
 public:
  explicit Crash(uint64_t at) : at_(at) {}
  std::string_view name() const override { return "crash"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Crash>(at_); }
  absl::Status Apply(const EventView& event, ViewBatch&) override {
    return event.position.value < at_ ? absl::OkStatus() : absl::UnavailableError("the disk");
  }

 private:
  const uint64_t at_;
};

const ViewId kHeap{"heap", 1};
const ViewId kSmall{"small", 1};

class UnequalTest : public RunnerTest {
 protected:
  void SetUp() override {
    RunnerTest::SetUp();
    for (const ViewId& view : {kHeap, kSmall, kCrash}) ASSERT_TRUE(views_->OpenView(view).ok());
  }
  Position Fill(int commits) {
    Position last;
    for (int i = 0; i < commits; ++i)
      last = Append(*log_, fmt::format("c{}", filled_++), std::vector<std::string>(kEventsPerCommit, "A"));
    return last;
  }
  // From where the views are stored, until `go_on` says no or there is a crash.
  absl::StatusOr<RebuildStats> Run(std::function<bool(Position)> go_on, uint64_t crash_at = UINT64_MAX) {
    Heap heap;
    Tally small("small", 1, eventstore::Query::All());
    Crash crash(crash_at);
    std::vector<RebuildTarget> targets = {{kHeap, &heap, *views_->OpenView(kHeap), absl::OkStatus()},
                                          {kSmall, &small, *views_->OpenView(kSmall), absl::OkStatus()}};
    if (crash_at < UINT64_MAX) targets.push_back({kCrash, &crash, Checkpoint(), absl::OkStatus()});
    RebuildOptions options;
    options.memory_bytes_max = kMemoryBytesMax;
    options.progress = std::move(go_on);
    auto stats = Rebuild(*log_, *views_, targets, options);
    for (const RebuildTarget& target : targets) {
      EXPECT_EQ(target.status, absl::OkStatus());
      EXPECT_EQ(target.checkpoint, *views_->OpenView(target.view));
    }
    return stats;
  }
  Position Stored(const ViewId& view) { return views_->OpenView(view)->position; }
  // Whether files of the large view's whole rows are being written, soon if not yet.
  bool PuttingTogether() {
    for (const absl::Time until = absl::Now() + absl::Seconds(1); absl::Now() < until;
         absl::SleepFor(absl::Milliseconds(1))) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_ / "views")) {
        const std::string name = entry.path().filename();  // "heap.v1.<range>.<number>.incoming"
        if (name.starts_with(kHeap.ToString()) && std::count(name.begin(), name.end(), '.') == 4) return true;
      }
    }
    return false;
  }
  void ExpectWhole(Position last) {
    uint64_t rows = 0;
    const auto count = [&](std::string_view, std::string_view) { return ++rows > 0; };
    EXPECT_TRUE(views_->Snapshot(kHeap)->Scan({}, count).ok());
    EXPECT_EQ(rows, last.value + 1);
    EXPECT_EQ((**views_->Snapshot(kHeap)->Get("events")).size(), last.value);
    EXPECT_EQ(Rows(kSmall).at("sum"), std::to_string(last.value * (last.value + 1) / 2));
    for (const ViewId& view : {kHeap, kSmall}) {
      EXPECT_EQ(views_->Snapshot(view)->position(), last);
      EXPECT_FALSE(*views_->IsInPieces(view));
    }
  }

 private:
  const ViewId kCrash{"crash", 1};
  int filled_ = 0;
};

TEST_F(UnequalTest, AfterACrashEachGoesOnFromWhereItWasStored) {
  const Position last = Fill(60);
  EXPECT_TRUE(absl::IsUnavailable(Run(nullptr, 12'000).status()));
  EXPECT_GT(Stored(kHeap), Stored(kSmall));
  EXPECT_LT(Stored(kHeap), Position(12'000));
  const Position from = Stored(kSmall);
  views_.reset();
  views_ = OpenViews(folder_ / "views");
  const auto stats = Run(nullptr);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->events, last.value - from.value);
  ExpectWhole(last);
}

TEST_F(UnequalTest, TheSmallOneIsStoredNowAndThenAndWhenTheRebuildIsEnded) {
  const Position last = Fill(200);
  Position while_it_went_on;
  Position read;
  const auto ended = Run([&](Position to) {
    if (while_it_went_on.value == 0) while_it_went_on = Stored(kSmall);
    read = to;
    return to < Position(95'000);
  });
  EXPECT_TRUE(absl::IsCancelled(ended.status())) << ended.status();
  EXPECT_GT(while_it_went_on, Position(0));
  EXPECT_LT(while_it_went_on, Position(95'000));
  EXPECT_EQ(Stored(kSmall), read);
  EXPECT_LT(Stored(kHeap), read) << "it takes too long";
  const auto stats = Run(nullptr);
  ASSERT_TRUE(stats.ok()) << stats.status();
  ExpectWhole(last);
}

TEST_F(UnequalTest, PuttingTogetherIsEndedAtAWishAndDoneByTheNextRun) {
  const Position last = Fill(40);
  const auto ended = Run([&](Position) { return Stored(kHeap) < last || !PuttingTogether(); });
  EXPECT_TRUE(absl::IsCancelled(ended.status())) << ended.status();
  EXPECT_TRUE(*views_->IsInPieces(kHeap));
  EXPECT_EQ(Stored(kHeap), last);
  const auto stats = Run(nullptr);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->events, last.value - Stored(kSmall).value);
  ExpectWhole(last);
}

// They have fallen far behind, and answer meanwhile.
TEST_F(UnequalTest, ViewsThatHaveRowsGetThemChangedEachTime) {
  Fill(1);
  ASSERT_TRUE(Run(nullptr).ok());
  const Position last = Fill(40);
  Position seen;
  const auto stats = Run([&](Position) {
    EXPECT_FALSE(*views_->IsInPieces(kHeap));
    seen = views_->Snapshot(kHeap)->position();
    EXPECT_EQ((**views_->Snapshot(kHeap)->Get("events")).size(), seen.value);
    return true;
  });
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_GT(stats->stores, 1u);
  EXPECT_GT(seen, Position(kEventsPerCommit));
  ExpectWhole(last);
}

// To store what was appended to rows, each is read.
TEST_F(UnequalTest, WhoeverEndsARebuildOfViewsThatHaveRowsDoesNotWaitForThem) {
  const Position before = Fill(1);
  ASSERT_TRUE(Run(nullptr).ok());
  const Position last = Fill(20);
  const auto ended = Run([&](Position to) { return to < Position(5000); });
  EXPECT_TRUE(absl::IsCancelled(ended.status())) << ended.status();
  EXPECT_EQ(Stored(kSmall), before);
  const auto stats = Run(nullptr);
  ASSERT_TRUE(stats.ok()) << stats.status();
  ExpectWhole(last);
}

// Each of the large view's files is larger than the disk lets one be, when all is read.
class NoRoomTest : public UnequalTest {
 protected:
  void SetUp() override {
    UnequalTest::SetUp();
    last_ = Fill(100);
    const auto ended = Run([&](Position to) { return to < Position(30'000); });
    ASSERT_TRUE(absl::IsCancelled(ended.status())) << ended.status();
    ASSERT_TRUE(*views_->IsInPieces(kHeap));
    ASSERT_TRUE(*views_->IsInPieces(kSmall));
  }
  bool AllIsRead() {
    if (Stored(kHeap) < last_) return false;
    if (!limit_.has_value()) limit_.emplace(size_t{200} << 10);
    return true;
  }

  Position last_;
  std::optional<tests::FileSizeLimit> limit_;
};

TEST_F(NoRoomTest, AViewForWhichThereIsNoRoomKeepsNoOtherInPieces) {
  const auto failed = Run([&](Position) { return AllIsRead() || true; });
  EXPECT_TRUE(absl::IsUnavailable(failed.status())) << failed.status();
  ASSERT_TRUE(limit_.has_value());
  EXPECT_TRUE(*views_->IsInPieces(kHeap));
  EXPECT_FALSE(*views_->IsInPieces(kSmall));
  EXPECT_EQ(views_->Snapshot(kSmall)->position(), last_);
  limit_.reset();
  ASSERT_TRUE(Run(nullptr).ok());
  ExpectWhole(last_);
}

TEST_F(NoRoomTest, ThatItWasEndedHidesNothingThatWentWrong) {
  const auto failed = Run([&](Position) {
    if (!AllIsRead() || *views_->IsInPieces(kSmall)) return true;
    absl::SleepFor(absl::Seconds(1));  // the large one fails meanwhile
    return false;
  });
  EXPECT_TRUE(absl::IsUnavailable(failed.status())) << failed.status();
  limit_.reset();
  ASSERT_TRUE(Run(nullptr).ok());
  ExpectWhole(last_);
}

TEST_F(UnequalTest, OnlyTheViewsThatAreDamagedStop) {
  const Position last = Fill(1);
  const ViewId made{"made", 1};  // with rows
  ASSERT_TRUE(views_->OpenView(made).ok());
  {
    auto rows = *views_->BeginBulk(made);
    ASSERT_EQ(views_->Ingest({&rows}, {Position(1), Position(1), "c0#0"}), absl::OkStatus());
    auto bulk = *views_->BeginBulk(kHeap);
    bulk.Put("00000001", "x");
    ASSERT_EQ(views_->Ingest({&bulk}, {Position(1), Position(1), "c0#0"}, 1, MoreComes::kYes),
              absl::OkStatus());
  }
  views_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "views")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream(entry.path(), std::ios::in | std::ios::out | std::ios::binary) << "damage";
  }
  views_ = OpenViews(folder_ / "views");
  Heap heap;
  Tally small("small", 1, eventstore::Query::All());
  Tally tally("made", 1, eventstore::Query::All());
  std::vector<RebuildTarget> targets = {{kHeap, &heap, Checkpoint(), absl::OkStatus()},
                                        {kSmall, &small, *views_->OpenView(kSmall), absl::OkStatus()},
                                        {made, &tally, Checkpoint(), absl::OkStatus()}};
  const auto stats = Rebuild(*log_, *views_, targets, {});
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_TRUE(absl::IsDataLoss(targets[0].status)) << targets[0].status;
  EXPECT_EQ(targets[1].status, absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(targets[2].status)) << targets[2].status;
  EXPECT_EQ(views_->Snapshot(kSmall)->position(), last);
}

}  // namespace
}  // namespace qinglan::projections
