// One byte of the views' files is other than it was written, or a power cut took the end of one. The store
// refuses to open, or tells the damage when it is read; or each view is what the log says up to its
// checkpoint, from where it goes on: never rows that no position of the log explains.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "projections/view_store/view_store.h"
#include "tests/fault/flip/verdicts.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"

namespace qinglan::fault {
namespace {

namespace fs = std::filesystem;
using eventstore::Position;
using projections::Checkpoint;
using projections::ViewId;
using projections::ViewStore;
using Rows = std::map<std::string, std::string>;

constexpr uint64_t kEvents = 600;
constexpr uint64_t kBusyRows = 40;
constexpr size_t kWriteBufferBytes = 64 << 10;
const ViewId kBusy{"busy", 1};  // is written out again and again
const ViewId kCalm{"calm", 1};  // so small that it is in write-ahead logs alone, in several

Checkpoint At(uint64_t n) { return {Position(n), Position(n), fmt::format("commit#{}", n)}; }
std::string BusyKey(uint64_t n) { return fmt::format("row-{}", n % kBusyRows); }
std::string BusyValue(uint64_t n) { return fmt::format("{} {}", n, std::string(700, '.')); }

// The view as the fold of the events up to here.
Rows Expected(const ViewId& view, uint64_t position) {
  Rows rows;
  for (uint64_t n = 1; n <= position; ++n) {
    if (view == kBusy) {
      rows[BusyKey(n)] = BusyValue(n);
    } else {
      rows[fmt::format("event-{}", n)] = std::to_string(n);
      rows["grown"] += "x";
    }
  }
  return rows;
}

class FlipViewsTest : public testing::Test {
 protected:
  FlipViewsTest() : random_(seed_) { Hush(); }

  void SetUp() override {
    const auto store = Open(whole());
    ASSERT_TRUE(store.ok()) << store.status();
    for (const ViewId& view : {kBusy, kCalm}) {
      ASSERT_TRUE((*store)->OpenView(view).ok());
      ASSERT_TRUE((*store)->Answer(view).ok());
    }
    for (uint64_t n = 1; n <= kEvents; ++n) {
      auto busy = *(*store)->Begin(kBusy);
      busy.Put(BusyKey(n), BusyValue(n));
      ASSERT_TRUE((*store)->Commit(std::move(busy), At(n)).ok());
      auto calm = *(*store)->Begin(kCalm);
      calm.Put(fmt::format("event-{}", n), std::to_string(n));
      calm.Append("grown", "x");
      ASSERT_TRUE((*store)->Commit(std::move(calm), At(n)).ok());
    }
  }

  static absl::StatusOr<std::unique_ptr<ViewStore>> Open(const std::string& directory) {
    ViewStore::Options options;
    options.directory = directory;
    options.block_cache_bytes = 1 << 20;
    options.write_buffer_bytes = kWriteBufferBytes;
    return ViewStore::Open(options);
  }

  std::string whole() const { return folder_.path() + "/whole"; }
  std::string copy() const { return folder_.path() + "/copy"; }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(whole())) {
      if (entry.path().filename() != "LOCK" && entry.file_size() > 0) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
  std::vector<fs::path> WriteAheadLogs() const {
    std::vector<fs::path> logs = Files();
    std::erase_if(logs, [](const fs::path& file) { return KindOfRocksFile(file) != "wal"; });
    return logs;
  }

  static Verdict JudgeView(ViewStore& store, const ViewId& view) {
    const auto checkpoint = store.OpenView(view);
    if (!checkpoint.ok()) return Told(checkpoint.status());
    const auto snapshot = store.Snapshot(view);
    if (!snapshot.ok()) return Told(snapshot.status());
    Rows rows;
    const auto read = snapshot->Scan({}, [&](std::string_view key, std::string_view value) {
      rows.emplace(key, value);
      return true;
    });
    if (!read.ok()) return Told(read.status());
    const uint64_t position = checkpoint->position.value;
    const bool checkpoint_is_one = *checkpoint == Checkpoint() || *checkpoint == At(position);
    const bool answers_rightly = store.Answering(view.name).value_or(view) == view;
    return checkpoint_is_one && answers_rightly && rows == Expected(view, position) ? Verdict::kNothingLost
                                                                                    : Verdict::kLostInSilence;
  }
  static Verdict Told(const absl::Status& status) {
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsUnavailable(status)) << status;
    return Verdict::kTold;
  }
  Verdict Judge() const {
    const auto store = Open(copy());
    if (!store.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(store.status()) || absl::IsUnavailable(store.status())) << store.status();
      return Verdict::kRefused;
    }
    return std::max(JudgeView(**store, kBusy), JudgeView(**store, kCalm),
                    [](Verdict a, Verdict b) { return Weight(a) < Weight(b); });
  }
  static int Weight(Verdict verdict) {
    return verdict == Verdict::kNothingLost ? 0 : verdict == Verdict::kLostInSilence ? 2 : 1;
  }

  // What becomes of a copy in which the file has these bytes.
  Verdict With(const fs::path& file, const std::string& bytes) {
    fs::remove_all(copy());
    fs::copy(whole(), copy());
    Write(fs::path(copy()) / file.filename(), bytes);
    const Verdict verdict = Judge();
    verdicts_.Add(KindOfRocksFile(file), verdict);
    return verdict;
  }
  void Flip(const fs::path& file, size_t at) {
    SCOPED_TRACE(fmt::format("{}: byte {} of {}", file.filename().string(), at, fs::file_size(file)));
    With(file, WithWrongByte(random_, Content(file), at));
  }
  void Tell(Evidence& evidence) const {
    evidence.Set("seed", seed_);
    verdicts_.Tell(evidence);
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_;
  const ScratchFolder folder_{ScratchFolder::Where::kMemory};
  Verdicts verdicts_;
};

TEST_F(FlipViewsTest, AFlippedByteOfTheViewsIsToldOrTheViewGoesOnFromItsCheckpoint) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte_of_views");
  for (const fs::path& file : Files()) {
    const size_t size = fs::file_size(file);
    for (int64_t i = 0; i < FlipsOfAFile(); ++i) Flip(file, DrawPlace(random_, i, size));
  }
  for (const std::string kind : {"sst", "wal", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY"})
    EXPECT_TRUE(verdicts_.Contains(kind)) << kind;
  Tell(evidence);
}

// A length that was damaged looks like the write that was the last. If the log that was begun after it were
// read even so, a view would lack what lies between, and its checkpoint would not tell.
TEST_F(FlipViewsTest, ADamagedLengthNearTheEndOfAnyWriteAheadLogLeavesNoGap) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("damaged_length_of_views");
  ASSERT_GE(WriteAheadLogs().size(), 2u);
  for (const fs::path& log : WriteAheadLogs()) {
    const std::vector<size_t> records = RecordsOfLastBlock(Content(log));
    for (size_t i = records.size() - std::min<size_t>(records.size(), 6); i < records.size(); ++i) {
      Flip(log, records[i] + 4);
      Flip(log, records[i] + 5);
    }
  }
  Tell(evidence);
}

// What is not synced may be gone of an earlier log while a later one is there.
TEST_F(FlipViewsTest, AWriteAheadLogThatLostItsEndLeavesNoGap) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("torn_logs_of_views");
  for (const fs::path& log : WriteAheadLogs()) {
    const std::string bytes = Content(log);
    for (int64_t i = 0; i < FlipsOfAFile(); ++i) {
      const size_t left = DrawPlace(random_, i, bytes.size());
      SCOPED_TRACE(fmt::format("{}: {} of {} bytes", log.filename().string(), left, bytes.size()));
      With(log, bytes.substr(0, left));
    }
  }
  Tell(evidence);
}

}  // namespace
}  // namespace qinglan::fault
