// Rows that are appended to, and folded when the store pleases.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>

#include "projections/view_store/compare.h"
#include "projections/view_store/view_store.h"
#include "tests/harness/stage.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;

const ViewId kView{"tally", 1};

// A row is "<tens>|<strokes>", or just strokes: ten strokes make a ten.
void FoldTens(std::string_view key, std::string& row) {
  if (key == "senseless") return;
  const size_t bar = row.find('|');
  size_t tens = bar == std::string::npos ? 0 : std::stoul(row);
  const size_t strokes = row.size() - (bar == std::string::npos ? 0 : bar + 1);
  if (strokes < 10) return;
  tens += strokes / 10;
  row = fmt::format("{}|{}", tens, std::string(strokes % 10, 'x'));
}

std::string Folded(std::string_view key, std::string row) {
  FoldTens(key, row);
  return row;
}

class AppendTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(true); }
  void Open(bool with_code) {
    store_.reset();
    ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    options.write_buffer_bytes = 64 << 10;
    if (with_code) options.folds[{kView.name, kView.version}] = &FoldTens;
    auto opened = ViewStore::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    ASSERT_TRUE(store_->OpenView(kView).ok());
    ASSERT_EQ(store_->FoldOf(kView) != nullptr, with_code);
  }
  Checkpoint Next() { return {Position(++position_), Position(position_), "commit#0"}; }
  void Append(const std::string& key, const std::string& bytes) {
    auto batch = store_->Begin(kView);
    ASSERT_TRUE(batch.ok()) << batch.status();
    batch->Append(key, bytes);
    ASSERT_EQ(store_->Commit(*std::move(batch), Next()), absl::OkStatus());
  }
  std::string Get(const std::string& key) {
    const auto value = store_->Snapshot(kView)->Get(key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value->value_or("none");
  }
  std::map<std::string, std::string> Rows(bool folded) {
    std::map<std::string, std::string> rows;
    const auto all = store_->Snapshot(kView);
    const auto scanned = all->Scan({}, [&](std::string_view key, std::string_view value) {
      EXPECT_EQ(*all->Get(key), value);
      return rows.emplace(key, folded ? Folded(key, std::string(value)) : value).second;
    });
    EXPECT_TRUE(scanned.ok()) << scanned.status();
    return rows;
  }

  // With another build, to whose row "a" these bytes were appended in bulk.
  absl::StatusOr<Comparison> CompareWithBulk(const std::string& bytes) {
    const ViewId beside{kView.name, kView.version, 2};
    EXPECT_EQ(store_->MakeView(beside, WhenThere::kStay), absl::OkStatus());
    auto bulk = *store_->BeginBulk(beside);
    bulk.Append("a", bytes);
    EXPECT_EQ(store_->Ingest({&bulk}, store_->Snapshot(kView)->checkpoint()), absl::OkStatus());
    return CompareRows(*store_->Snapshot(kView), *store_->Snapshot(beside), 10);
  }

  tests::TemporaryFolder folder_;
  std::unique_ptr<ViewStore> store_;
  uint64_t position_ = 0;
};

TEST_F(AppendTest, WhatWasAppendedIsSeenFoldedInTheBatchAfterTheCommitAndAfterAReopen) {
  Append("a", "xxxxxx");
  EXPECT_EQ(Get("a"), "xxxxxx");
  auto batch = *store_->Begin(kView);
  batch.Append("a", "xxx");
  batch.Append("a", "xxx");
  EXPECT_EQ(**batch.Get("a"), "1|xx");
  EXPECT_EQ(Get("a"), "xxxxxx");
  ASSERT_EQ(store_->Commit(std::move(batch), Next()), absl::OkStatus());
  EXPECT_EQ(Get("a"), "1|xx");
  const auto before = store_->Snapshot(kView);
  Append("a", std::string(20, 'x'));
  EXPECT_EQ(**before->Get("a"), "1|xx");
  EXPECT_EQ(Get("a"), "3|xx");
}

TEST_F(AppendTest, TwoBuildsCompareEqualHoweverTheirRowsWereMade) {
  for (int i = 0; i < 37; ++i) Append("a", "x");
  const auto compared = CompareWithBulk(std::string(37, 'x'));
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_TRUE(compared->same());
  EXPECT_EQ(compared->rows_first, 1u);
  EXPECT_EQ(compared->rows_second, 1u);
}

TEST_F(AppendTest, AProgramWithoutTheCodeKeepsEveryByteAndOneThatHasItFoldsThem) {
  const size_t bytes = 200'000;  // several write buffers
  Append("a", std::string(5, 'x'));
  Open(false);
  for (size_t i = 0; i < 20; ++i) Append("a", std::string(bytes / 20, 'x'));
  EXPECT_EQ(Get("a"), std::string(bytes + 5, 'x'));
  Open(false);
  EXPECT_EQ(Get("a"), std::string(bytes + 5, 'x'));
  Open(true);
  Append("a", "x");
  EXPECT_EQ(Get("a"), fmt::format("{}|xxxxxx", bytes / 10));
}

TEST_F(AppendTest, WhatAProgramWithoutTheCodePutTogetherIsReadFoldedAndComparesEqual) {
  Open(false);
  auto batch = *store_->Begin(kView);
  batch.Put("a", std::string(30, 'x'));
  batch.Append("a", "xxxxxxx");
  ASSERT_EQ(store_->Commit(std::move(batch), Next()), absl::OkStatus());
  EXPECT_EQ(Get("a"), std::string(37, 'x'));
  Open(true);
  EXPECT_EQ(Get("a"), "3|xxxxxxx");
  EXPECT_EQ(Rows(false).at("a"), "3|xxxxxxx") << "as scanned";
  EXPECT_EQ(**store_->Begin(kView)->Get("a"), "3|xxxxxxx");
  EXPECT_EQ(**store_->BeginBulk(kView)->Get("a"), "3|xxxxxxx");
  const auto compared = CompareWithBulk(std::string(37, 'x'));
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_TRUE(compared->same());
}

TEST_F(AppendTest, ARowThatCannotBeFoldedIsKeptAndStopsNobody) {
  for (int i = 0; i < 300; ++i) {
    Append("senseless", std::string(1000, 'x'));
    Append("a", "x");
  }
  Open(true);
  EXPECT_EQ(Get("senseless").size(), 300'000u);
  EXPECT_EQ(Get("a"), "30|");
}

// As a rebuild does that has less memory than it would need: enough bytes for several files and threads.
TEST_F(AppendTest, WhatWasAppendedInBulkBitByBitIsPutTogetherAtTheEnd) {
  constexpr size_t kRows = 400;
  constexpr size_t kStrokes = 9000;
  constexpr size_t kRounds = 40;  // more files than would stop the writing of a family that is compacted
  std::optional<BulkBatch> bulk(*store_->BeginBulk(kView));
  for (size_t round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kRows; ++i)
      bulk->Append(fmt::format("{:05}", i * 7919 % 100'000), std::string(kStrokes, 'x'));
    ASSERT_EQ(store_->Ingest({&*bulk}, Next(), 2, MoreComes::kYes), absl::OkStatus());
  }
  bulk.reset();
  EXPECT_TRUE(Rows(false).empty());
  ASSERT_EQ(store_->PutTogether(kView, 2), absl::OkStatus());
  const Checkpoint reached = store_->Snapshot(kView)->checkpoint();
  EXPECT_EQ(reached.position, Position(kRounds));
  Open(false);  // who has no code to fold sees what is stored
  const std::string whole = Folded("", std::string(kRounds * kStrokes, 'x'));
  EXPECT_LT(whole.size(), kStrokes);
  const auto rows = Rows(false);
  EXPECT_EQ(rows.size(), kRows);
  for (const auto& [key, row] : rows) ASSERT_EQ(row, whole) << key;
  EXPECT_EQ(store_->Snapshot(kView)->checkpoint(), reached);
}

// Of a build that has rows no pieces are left behind, which each read would fold.
TEST_F(AppendTest, WhatIsAppendedInBulkToStoredRowsIsFoldedInAtOnce) {
  {
    auto bulk = *store_->BeginBulk(kView);
    bulk.Append("a", "xxxxxx");
    ASSERT_EQ(store_->Ingest({&bulk}, Next()), absl::OkStatus());
    for (int i = 0; i < 3; ++i) {
      bulk.Append("a", "xxxxxx");
      bulk.Append(fmt::format("b{}", i), "xxxxxxxxxxxx");
      ASSERT_EQ(store_->Ingest({&bulk}, Next(), 2, MoreComes::kYes), absl::OkStatus());
      EXPECT_FALSE(*store_->IsInPieces(kView));
    }
  }
  Open(false);  // who has no code to fold sees what is stored
  EXPECT_EQ(Get("a"), "2|xxxx");
  EXPECT_EQ(Get("b2"), "1|xx");
}

// Puts, deletions and appends, live and in bulk, opened by programs with and without the code: whatever is
// read is what a map would say.
TEST_F(AppendTest, RowsAreAMapWhoeverWritesThemAndHowever) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 draw(seed);
  std::map<std::string, std::string> model;
  const auto change = [&](ViewBatch& batch) {
    for (uint32_t i = draw() % 300; i > 0; --i) {
      const std::string key(1 + draw() % 2, static_cast<char>('a' + draw() % 4));
      const std::string strokes(draw() % 60, 'x');
      const uint32_t kind = draw() % 8;
      if (kind == 0) {
        batch.Delete(key);
        model.erase(key);
      } else if (kind == 1) {
        batch.Put(key, strokes);
        model[key] = strokes;
      } else if (kind < 6) {
        batch.Append(key, strokes);
        model[key] = Folded(key, model[key] + strokes);
      } else {
        const auto row = batch.Get(key);
        ASSERT_TRUE(row.ok()) << row.status();
        ASSERT_EQ(row->has_value(), model.contains(key)) << key;
        if (row->has_value()) {
          ASSERT_EQ(Folded(key, **row), Folded(key, model[key]));
        }
      }
    }
  };
  for (int round = 0; round < 120; ++round) {
    if (round % 12 == 0) {  // in pieces or not
      ASSERT_EQ(store_->DropView(kView), absl::OkStatus());
      ASSERT_EQ(*store_->OpenView(kView), Checkpoint());
      model.clear();
    }
    if (!*store_->IsInPieces(kView) && draw() % 2 == 0) {
      auto batch = *store_->Begin(kView);
      change(batch);
      ASSERT_EQ(store_->Commit(std::move(batch), Next()), absl::OkStatus());
    } else {
      auto bulk = *store_->BeginBulk(kView);
      change(bulk);
      const MoreComes more = draw() % 2 == 0 ? MoreComes::kYes : MoreComes::kNo;
      ASSERT_EQ(store_->Ingest({&bulk}, Next(), 2, more), absl::OkStatus());
    }
    if (draw() % 3 == 0) {
      ASSERT_EQ(store_->PutTogether(kView, 2), absl::OkStatus());
    }
    std::map<std::string, std::string> expected;
    for (const auto& [key, row] : model) expected[key] = Folded(key, row);
    if (*store_->IsInPieces(kView)) expected.clear();
    ASSERT_EQ(Rows(true), expected) << "round " << round;
    if (draw() % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(Open(draw() % 2 == 0));
    }
  }
}

}  // namespace
}  // namespace qinglan::projections
