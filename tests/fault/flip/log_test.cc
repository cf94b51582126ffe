// One byte of one file of the log is other than it was written. The store refuses to open, or tells the
// damage when it is read or checked, or nothing is lost; it never goes on without a word and without what it
// had acknowledged.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "eventstore/rocks/database.h"
#include "eventstore/rocks/fsck.h"
#include "tests/fault/flip/verdicts.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::RocksEventStore;

constexpr size_t kWalBlockBytes = 32 * 1024;

class FlipTest : public testing::Test {
 protected:
  FlipTest() : random_(seed_) { Hush(); }

  // A log with every kind of file: tables of every family, and a write-ahead log with commits in it.
  void SetUp() override {
    for (int session = 0; session < 3; ++session) {
      auto store = RocksEventStore::Open(SmallStore(whole()));
      ASSERT_TRUE(store.ok()) << store.status();
      const std::string run = fmt::format("s{}", session);
      const uint64_t commits = session == 2 ? 40 : 250;
      for (uint64_t n = 1; n <= commits; ++n) {
        const std::string id = CommitId(run, 0, n);
        const auto request = IsCounter(id) ? *CounterRequest(**store, id) : PlainRequest(id);
        ledger_.Asked(id);
        ledger_.Answered(id, (*store)->AppendAndWait(request));
      }
      if (session == 2) {
        rocksdb::DB* const db = (*store)->database().db();  // which may be deleting what it has compacted
        ASSERT_TRUE(db->DisableFileDeletions().ok());
        std::filesystem::copy(whole(), killed());
        ASSERT_TRUE(db->EnableFileDeletions(/*force=*/false).ok());
      }
    }
    ASSERT_EQ(ledger_.acknowledged(), 540u);
  }

  std::string whole() const { return folder_.path() + "/whole"; }
  std::string killed() const { return folder_.path() + "/killed"; }  // as kill -9 leaves it
  std::string copy() const { return folder_.path() + "/copy"; }
  std::vector<std::filesystem::path> Files() const { return Files(whole()); }
  static std::vector<std::filesystem::path> Files(const std::string& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename() != "LOCK" && entry.file_size() > 0) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  void MakeCopy() const { MakeCopy(whole()); }
  void MakeCopy(const std::filesystem::path& folder) const {
    std::filesystem::remove_all(copy());
    std::filesystem::copy(folder, copy());
  }

  Verdict Judge() const {
    const auto store = RocksEventStore::Open(SmallStore(copy()));
    if (!store.ok()) {
      const auto code = store.status().code();
      EXPECT_TRUE(code == absl::StatusCode::kDataLoss || code == absl::StatusCode::kFailedPrecondition ||
                  code == absl::StatusCode::kUnavailable)
          << store.status();
      return Verdict::kRefused;
    }
    const auto report = eventstore::Fsck(**store, [](auto, auto, auto) {});
    const bool told = !report.ok() || !report->clean();
    const Findings findings = ledger_.Check(**store);
    if (told) {
      // What can be read must be right even so: an error, or the truth.
      uint64_t met = 0;
      const auto read = (*store)->Read(Query::All(), {}, [&](const EventView& event) {
        EXPECT_EQ(event.position.value, ++met);
        return true;
      });
      EXPECT_TRUE(read.ok() || absl::IsDataLoss(read.status()) || absl::IsUnavailable(read.status()))
          << read.status();
      return Verdict::kTold;
    }
    for (const std::string& wrong : findings.wrongs) ADD_FAILURE() << wrong;
    return findings.wrongs.empty() ? Verdict::kNothingLost : Verdict::kLostInSilence;
  }

  Verdict Flip(const std::filesystem::path& file, size_t at) {
    MakeCopy(file.parent_path());
    const std::string whole = Content(file);
    const std::string bytes = WithWrongByte(random_, whole, at);
    SCOPED_TRACE(fmt::format("{}: byte {} of {} was {:#04x} and is {:#04x}", file.filename().string(), at,
                             bytes.size(), static_cast<uint8_t>(whole[at]), static_cast<uint8_t>(bytes[at])));
    Write(std::filesystem::path(copy()) / file.filename(), bytes);
    const Verdict verdict = Judge();
    verdicts_.Add(KindOfRocksFile(file), verdict);
    return verdict;
  }

  void Tell(Evidence& evidence) const {
    evidence.Set("seed", seed_);
    verdicts_.Tell(evidence);
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_;
  const ScratchFolder folder_{ScratchFolder::Where::kMemory};
  Ledger ledger_;
  Verdicts verdicts_;
};

TEST_F(FlipTest, AFlippedByteOfAnyFileIsToldOrTakesNothing) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte");
  for (const std::filesystem::path& file : Files()) {
    const size_t size = std::filesystem::file_size(file);
    for (int64_t i = 0; i < FlipsOfAFile(); ++i) Flip(file, DrawPlace(random_, i, size));
  }
  for (const std::string kind : {"sst", "wal", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY"})
    EXPECT_TRUE(verdicts_.Contains(kind)) << kind;
  EXPECT_GT(verdicts_.Count("wal", Verdict::kRefused), 0);
  Tell(evidence);
}

// A damaged length makes a record, and all behind it, look like a write that was cut short.
TEST_F(FlipTest, ADamagedLengthNearTheEndIsNotTakenForAWriteThatWasCutShort) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("damaged_length");
  int refused = 0;
  for (const std::filesystem::path& file : Files()) {
    const std::string bytes = Content(file);
    if (KindOfRocksFile(file) != "wal" && KindOfRocksFile(file) != "MANIFEST") continue;
    for (const size_t record : RecordsOfLastBlock(bytes)) {
      for (const size_t length_byte : {record + 4, record + 5})
        refused += Flip(file, length_byte) == Verdict::kRefused ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 10);
  Tell(evidence);
}

// There the last record is followed by zeros that lie ready for the next one.
TEST_F(FlipTest, AFlippedByteOfTheLastRecordOfAKilledStoreIsNotTakenForATornWrite) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte_after_kill");
  MakeCopy(killed());
  EXPECT_EQ(Judge(), Verdict::kNothingLost);
  constexpr size_t kBehind = 3;  // bytes of the zeros
  const std::vector<std::filesystem::path> files = Files(killed());
  const auto wal =
      std::ranges::find_if(files, [](const auto& file) { return KindOfRocksFile(file) == "wal"; });
  ASSERT_NE(wal, files.end());
  const std::string bytes = Content(*wal);
  const size_t end = bytes.find_last_not_of('\0') + 1;
  ASSERT_LT(end + kWalBlockBytes, bytes.size()) << "no zeros lie ahead";
  const std::vector<size_t> records = RecordsOfLastBlock(bytes.substr(0, end));
  ASSERT_GE(records.size(), 2u);
  for (size_t at = records[records.size() - 2]; at < end + kBehind; ++at) {
    const Verdict verdict = Flip(*wal, at);
    if (at < end) {
      EXPECT_EQ(verdict, Verdict::kRefused) << at;
    }
  }
  Tell(evidence);
}

TEST_F(FlipTest, AMissingFileIsToldOrTakesNothing) {
  Evidence evidence("missing_file");
  for (const std::filesystem::path& file : Files()) {
    if (file == std::ranges::max(Files(), {},
                                 [](const auto& path) { return path.extension() == ".log" ? path : ""; }))
      continue;  // the newest write-ahead log: nothing in the folder says that there was one
    SCOPED_TRACE(file.filename().string());
    MakeCopy();
    std::filesystem::remove(std::filesystem::path(copy()) / file.filename());
    verdicts_.Add(KindOfRocksFile(file), Judge());
  }
  Tell(evidence);
}

}  // namespace
}  // namespace qinglan::fault
