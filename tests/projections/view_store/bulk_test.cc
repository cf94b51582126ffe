// Rows that are gathered in memory and taken in as sorted files.
#include "projections/view_store/bulk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "projections/view_store/storage/threads.h"
#include "projections/view_store/view_store.h"
#include "tests/harness/file_size_limit.h"
#include "tests/harness/stage.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;

const ViewId kView{"bulky", 1};

Checkpoint At(uint64_t position) { return Checkpoint{Position(position), Position(position), "commit#0"}; }

class BulkTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    views_.reset();
    ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    auto opened = ViewStore::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    views_ = *std::move(opened);
    ASSERT_TRUE(views_->OpenView(kView).ok());
  }
  std::map<std::string, std::string> Rows() const {
    std::map<std::string, std::string> rows;
    const auto snapshot = views_->Snapshot(kView);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_TRUE(snapshot
                    ->Scan({}, [&](std::string_view key,
                                   std::string_view value) { return rows.emplace(key, value).second; })
                    .ok());
    return rows;
  }

  // A block of each file of rows, and opens them again.
  void Damage() {
    views_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/views")) {
      if (entry.path().extension() != ".sst") continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(entry.file_size() / 4));
      file << "damage";
    }
    Reopen();
  }

  size_t IncomingFiles() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/views"))
      count += entry.path().extension() == ".incoming" ? 1 : 0;
    return count;
  }

  tests::TemporaryFolder folder_;
  std::unique_ptr<ViewStore> views_;
};

TEST(BulkMemoryTest, ABlockIsOneBatchsAtATime) {
  BulkMemory memory;
  std::vector<BulkMemory::Bytes> held;
  for (int i = 0; i < 3; ++i) held.push_back(memory.Take());
  for (int i = 0; i < 2; ++i) {
    memory.GiveBack(std::move(held.back()));
    held.pop_back();
  }
  for (int i = 0; i < 3; ++i) held.push_back(memory.Take());
  std::set<const char*> blocks;
  for (const BulkMemory::Bytes& block : held) blocks.insert(block.get());
  EXPECT_EQ(blocks.size(), held.size());
}

// A batch against a map, over many storings: whatever is read, at any time, is what was written last.
TEST_F(BulkTest, ABatchIsAMapWhereverItsRowsAre) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 draw(seed);
  std::map<std::string, std::string> model;
  auto batch = views_->BeginBulk(kView);
  ASSERT_TRUE(batch.ok()) << batch.status();
  for (uint64_t round = 1; round <= 8; ++round) {
    for (int step = 0; step < 2000; ++step) {
      // Keys of any bytes, some of them empty or the beginning of others; values that grow and shrink.
      const std::string key(draw() % 3, static_cast<char>(draw() % 256));
      const std::string value(draw() % 2000, static_cast<char>('a' + draw() % 26));
      const auto found = batch->Get(key);
      ASSERT_TRUE(found.ok()) << found.status();
      const auto expected = model.find(key);
      ASSERT_EQ(found->has_value(), expected != model.end());
      if (found->has_value()) {
        ASSERT_EQ(**found, expected->second);
      }
      if (draw() % 3 == 0) {
        batch->Delete(key);
        model.erase(key);
      } else {
        batch->Put(key, value);
        model[key] = value;
      }
    }
    EXPECT_GT(batch->bytes(), batch->rows());
    ASSERT_TRUE(views_->Ingest({&*batch}, At(round)).ok());
    EXPECT_EQ(batch->rows(), 0u);
    EXPECT_EQ(Rows(), model);
    EXPECT_EQ(views_->Snapshot(kView)->checkpoint(), At(round));
  }
}

TEST_F(BulkTest, ManyRowsOfSeveralBatchesAreTakenInTogetherByManyThreads) {
  auto first = views_->BeginBulk(kView);
  auto second = views_->BeginBulk(kView);
  ASSERT_TRUE(first.ok() && second.ok());
  std::map<std::string, std::string> model;
  for (int i = 0; i < 70'000; ++i) {
    // The first in order, the second not.
    const std::string key =
        i % 2 == 0 ? fmt::format("{:08}", i) : fmt::format("{:08}", i * 7919 % 70'000 | 1);
    (i % 2 == 0 ? *first : *second).Put(key, std::to_string(i));
    model[key] = std::to_string(i);
  }
  ASSERT_TRUE(views_->Ingest({&*first, &*second}, At(9), 3).ok());
  EXPECT_EQ(Rows(), model);
  EXPECT_EQ(views_->Snapshot(kView)->checkpoint(), At(9));
  EXPECT_EQ(IncomingFiles(), 0u);
}

// Rows of which more come than one storing holds: the batch sees them, and nobody else until they are put
// together.
TEST_F(BulkTest, RowsOfWhichMoreComeAreSeenWhenTheyArePutTogether) {
  std::map<std::string, std::string> model;
  auto batch = views_->BeginBulk(kView);
  for (uint64_t round = 1; round <= 3; ++round) {
    // Each time other keys, in the end only a few and none of the first ones.
    for (size_t i = round; i < 3000; i += 7 * round * round * round) {
      const std::string key = fmt::format("{:04}", i);
      batch->Put(key, std::string(6000, static_cast<char>('a' + round)));
      model[key] = std::string(6000, static_cast<char>('a' + round));
    }
    for (size_t i = round; i < 3000; i += 100) {
      batch->Delete(fmt::format("{:04}", i));
      model.erase(fmt::format("{:04}", i));
    }
    const MoreComes more = round < 3 ? MoreComes::kYes : MoreComes::kNo;
    ASSERT_EQ(views_->Ingest({&*batch}, At(round), 2, more), absl::OkStatus());
    for (const auto& [key, value] : model) ASSERT_EQ(**batch->Get(key), value);
    EXPECT_TRUE(Rows().empty());
    EXPECT_EQ(views_->Snapshot(kView)->checkpoint(), Checkpoint());
    EXPECT_EQ(*views_->OpenView(kView), At(round));
    EXPECT_TRUE(*views_->IsInPieces(kView));
    EXPECT_TRUE(absl::IsFailedPrecondition(views_->Begin(kView).status()));
    EXPECT_GT(views_->Size(kView)->bytes, 1000u);
  }
  ASSERT_EQ(views_->PutTogether(kView, 2), absl::OkStatus());
  EXPECT_FALSE(*views_->IsInPieces(kView));
  EXPECT_EQ(Rows(), model);
  EXPECT_EQ(views_->Snapshot(kView)->checkpoint(), At(3));
  EXPECT_TRUE(views_->Begin(kView).ok());
  EXPECT_EQ(IncomingFiles(), 0u);
}

TEST_F(BulkTest, StoringAndPuttingTogetherEndWhenSomebodyWishesAndCanBeTriedAgain) {
  const std::atomic<bool> ended = true;
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  batch->Put("a", "1");
  EXPECT_TRUE(absl::IsCancelled(views_->Ingest({&*batch}, At(1), 2, MoreComes::kYes, ended)));
  EXPECT_EQ(*views_->OpenView(kView), Checkpoint());
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 2, MoreComes::kYes), absl::OkStatus());
  EXPECT_TRUE(absl::IsCancelled(views_->PutTogether(kView, 2, ended)));
  EXPECT_TRUE(*views_->IsInPieces(kView));
  EXPECT_EQ(IncomingFiles(), 0u);
  batch.reset();
  Reopen();
  EXPECT_TRUE(*views_->IsInPieces(kView));
  EXPECT_EQ(*views_->OpenView(kView), At(1));
  ASSERT_EQ(views_->PutTogether(kView, 2), absl::OkStatus());
  EXPECT_EQ(Rows().at("a"), "1");
}

// Kept over a restart, and gone with their build; nobody's view is called so.
TEST_F(BulkTest, PiecesBelongToTheirBuild) {
  EXPECT_TRUE(absl::IsInvalidArgument(views_->OpenView({"bulky_pieces", 1}).status()));
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  batch->Put("a", "1");
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 1, MoreComes::kYes), absl::OkStatus());
  batch.reset();
  Reopen();
  EXPECT_THAT(views_->Views(), testing::ElementsAre(kView));
  batch.emplace(*views_->BeginBulk(kView));
  EXPECT_EQ(**batch->Get("a"), "1");
  batch.reset();
  ASSERT_EQ(views_->DropView(kView), absl::OkStatus());
  EXPECT_EQ(*views_->OpenView(kView), Checkpoint());
  EXPECT_FALSE(*views_->IsInPieces(kView));
}

// A crash came between the rows and the dropping of the pieces: they must not come back.
TEST_F(BulkTest, PiecesOfABuildThatHasRowsAreClearedAwayByAStart) {
  std::optional<BulkBatch> pieces(*views_->BeginBulk(kView));
  std::optional<BulkBatch> rows(*views_->BeginBulk(kView));  // not in pieces yet
  pieces->Put("a", "old");
  ASSERT_EQ(views_->Ingest({&*pieces}, At(1), 1, MoreComes::kYes), absl::OkStatus());
  rows->Put("b", "new");
  ASSERT_EQ(views_->Ingest({&*rows}, At(2)), absl::OkStatus());
  pieces.reset();
  rows.reset();
  ASSERT_TRUE(*views_->IsInPieces(kView));
  Reopen();
  EXPECT_FALSE(*views_->IsInPieces(kView));
  EXPECT_EQ(*views_->OpenView(kView), At(2));
  EXPECT_EQ(Rows(), (std::map<std::string, std::string>{{"b", "new"}}));
}

TEST_F(BulkTest, DamagedPiecesAreDataLossAndStopNoWritingOfOthers) {
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  for (int i = 0; i < 3000; ++i) batch->Put(fmt::format("{:04}", i), std::string(2000, 'x'));
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 2, MoreComes::kYes), absl::OkStatus());
  batch.reset();
  Damage();
  EXPECT_TRUE(absl::IsDataLoss(views_->PutTogether(kView, 2)));
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(IncomingFiles(), 0u);
  const ViewId other{"other", 1};
  ASSERT_TRUE(views_->OpenView(other).ok());
  auto written = *views_->Begin(other);
  written.Put("a", "1");
  EXPECT_EQ(views_->Commit(std::move(written), At(1)), absl::OkStatus());
  EXPECT_EQ(views_->DropView(kView), absl::OkStatus());
}

TEST_F(BulkTest, ARowThatCannotBeReadStaysSoWhenItIsAppendedToAndStopsNoOther) {
  constexpr int kRows = 3000;
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  for (int i = 0; i < kRows; ++i) batch->Put(fmt::format("{:04}", i), std::string(2000, 'x'));
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 2), absl::OkStatus());
  batch.reset();
  Damage();
  batch.emplace(*views_->BeginBulk(kView));
  for (int i = 0; i < kRows; ++i) batch->Append(fmt::format("{:04}", i), "y");
  ASSERT_EQ(views_->Ingest({&*batch}, At(2), 2), absl::OkStatus());
  const auto snapshot = views_->Snapshot(kView);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->checkpoint(), At(2));
  int damaged = 0;
  for (int i = 0; i < kRows; ++i) {
    const auto row = snapshot->Get(fmt::format("{:04}", i));
    if (row.ok()) {
      ASSERT_EQ(**row, std::string(2000, 'x') + "y");
    } else {
      EXPECT_TRUE(absl::IsDataLoss(row.status())) << row.status();
      ++damaged;
    }
  }
  EXPECT_GT(damaged, 0);
  EXPECT_LT(damaged, 100) << "a block of each file";
}

// To say "no" would let rows be written beside the pieces.
TEST_F(BulkTest, WhetherItIsInPiecesIsNotKnownWhileTheDatabaseIsClosed) {
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  batch->Put("a", "1");
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 1, MoreComes::kYes), absl::OkStatus());
  batch.reset();
  constexpr size_t kRowBytes = 1'000'000;
  const ViewId other{"other", 1};
  ASSERT_TRUE(views_->OpenView(other).ok());
  {
    const tests::FileSizeLimit limit(kRowBytes / 2);
    auto refused = *views_->Begin(other);
    refused.Put("a", std::string(kRowBytes, 'x'));
    ASSERT_TRUE(absl::IsUnavailable(views_->Commit(std::move(refused), At(1))));
  }
  // It cannot be opened either.
  const std::string folder = folder_.path() + "/views";
  std::filesystem::rename(folder, folder + ".away");
  std::ofstream(folder) << "no folder";
  ASSERT_TRUE(absl::IsUnavailable(views_->Recover()));
  EXPECT_TRUE(absl::IsUnavailable(views_->OpenView(kView).status()));
  EXPECT_TRUE(absl::IsUnavailable(views_->IsInPieces(kView).status()));
  std::filesystem::remove(folder);
  std::filesystem::rename(folder + ".away", folder);
  ASSERT_EQ(views_->Recover(), absl::OkStatus());
  EXPECT_TRUE(*views_->IsInPieces(kView));
  EXPECT_EQ(*views_->OpenView(kView), At(1));
}

TEST_F(BulkTest, ABuildInPiecesIsNotMadeToAnswer) {
  std::optional<BulkBatch> batch(*views_->BeginBulk(kView));
  batch->Put("a", "1");
  ASSERT_EQ(views_->Ingest({&*batch}, At(1), 1, MoreComes::kYes), absl::OkStatus());
  batch.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(views_->Answer(kView)));
  EXPECT_EQ(views_->Answering(kView.name), std::nullopt);
  ASSERT_EQ(views_->PutTogether(kView, 1), absl::OkStatus());
  EXPECT_EQ(views_->Answer(kView), absl::OkStatus());
}

TEST(EachOnSomeThreadTest, EachIsDoneOnceAndTheFirstErrorIsTold) {
  std::vector<std::atomic<int>> done(100);
  EXPECT_EQ(EachOnSomeThread(done.size(), 3,
                             [&](size_t i) {
                               ++done[i];
                               return absl::OkStatus();
                             }),
            absl::OkStatus());
  for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
  const absl::Status failed = EachOnSomeThread(
      10, 2, [](size_t i) { return i < 2 ? absl::OkStatus() : absl::InternalError(std::to_string(i)); });
  EXPECT_EQ(failed, absl::InternalError("2"));
  // A number that was taken is worked at, even if a higher one fails meanwhile.
  for (int round = 0; round < 200; ++round) {
    std::atomic<size_t> highest = 0;
    std::vector<std::atomic<bool>> begun(64);
    const absl::Status some = EachOnSomeThread(begun.size(), 3, [&](size_t i) {
      begun[i] = true;
      if (i % 7 != 6) return absl::OkStatus();
      for (size_t seen = highest; seen < i && !highest.compare_exchange_weak(seen, i);) {
      }
      return absl::InternalError(std::to_string(i));
    });
    for (size_t i = 0; i < highest; ++i) ASSERT_TRUE(begun[i]) << i << " of " << highest;
    ASSERT_EQ(some, absl::InternalError("6"));
  }
  EXPECT_EQ(EachOnSomeThread(0, 2, [](size_t) { return absl::InternalError("nothing to do"); }),
            absl::OkStatus());
}

TEST_F(BulkTest, NoRowsAtAllStillMoveTheCheckpoint) {
  auto batch = views_->BeginBulk(kView);
  ASSERT_TRUE(batch.ok());
  batch->Put("came", "and");
  batch->Delete("came");
  batch->Delete("never there");
  ASSERT_TRUE(views_->Ingest({&*batch}, At(3), 2).ok());
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(views_->Snapshot(kView)->position(), Position(3));
}

}  // namespace
}  // namespace qinglan::projections
