// One byte is other than it was written, of what lies beside the log: its signed checkpoints, the keys of
// persons, a backup of it all.
#include <absl/time/clock.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "eventstore/privacy/key_store.h"
#include "eventstore/privacy/master_key.h"
#include "eventstore/rocks/backup/create.h"
#include "eventstore/rocks/backup/restore.h"
#include "eventstore/rocks/backup/verify.h"
#include "eventstore/transparency/checkpoint_file.h"
#include "tests/fault/flip/verdicts.h"
#include "tests/fault/load/evidence.h"
#include "tests/fault/load/soundness.h"
#include "tests/fault/load/workload.h"

namespace qinglan::fault {
namespace {

namespace fs = std::filesystem;
using eventstore::BackupDirectory;
using eventstore::RocksEventStore;
using eventstore::privacy::KeyStore;
using eventstore::privacy::MasterKeyRing;
using eventstore::transparency::LineSum;

constexpr int kSessions = 3;  // each with a checkpoint at its end
constexpr uint64_t kCommitsOfASession = 100;
constexpr int kPersons = 12;

bool NoteNothing(std::string_view, uint64_t, uint64_t) { return true; }

class FlipBesideTest : public testing::Test {
 protected:
  FlipBesideTest() : random_(seed_) { Hush(); }

  void SetUp() override {
    fs::create_directory(data());
    MakeKeys();
    MakeLogAndCheckpoints();
  }

  void MakeLogAndCheckpoints() {
    const auto key = *eventstore::transparency::SigningKey::Generate("test.example/log");
    LineSum sum = LineSum::kOfNone;
    std::string lines;
    for (int session = 0; session < kSessions; ++session) {
      auto store = RocksEventStore::Open(SmallStore(data() + "/log"));
      ASSERT_TRUE(store.ok()) << store.status();
      for (uint64_t n = 1; n <= kCommitsOfASession; ++n) {
        const std::string id = CommitId(fmt::format("b{}", session), 0, n);
        ASSERT_TRUE((*store)->AppendAndWait(PlainRequest(id)).ok());
      }
      const auto head = *(*store)->CurrentTree();
      const std::string line = CheckpointLine(
          {head.size, eventstore::transparency::SignCheckpoint(head, key), absl::FromUnixSeconds(session)},
          sum);
      const std::string_view without_end = std::string_view(line).substr(0, line.size() - 1);
      sum = eventstore::transparency::ParseCheckpointLine(without_end, sum)->sum;
      lines += line;
    }
    Write(data() + "/checkpoints", lines);
  }

  absl::StatusOr<std::unique_ptr<KeyStore>> OpenKeys() const {
    return KeyStore::Open({.directory = data() + "/keys", .master = *MasterKeyRing::Parse(master_)});
  }
  static std::string Person(int n) { return fmt::format("teacher:{}", n); }
  // Keys, some with two versions, and the tombstones of those that were destroyed.
  void MakeKeys() {
    const auto keys = *OpenKeys();
    for (int n = 0; n < kPersons; ++n) {
      ASSERT_TRUE(keys->KeyToSeal(Person(n)).ok());
      ASSERT_TRUE(n % 3 != 0 || keys->Rotate(Person(n)).ok());
      ASSERT_TRUE(n % 4 != 0 || keys->Destroy(Person(n), absl::Now()).ok());
      keys_[n] = KeysOf(*keys, n);
    }
  }
  // What can be opened, and what was erased.
  static std::string KeysOf(KeyStore& keys, int n) {
    std::string all;
    for (const uint32_t version : {1U, 2U}) {
      const auto key = keys.KeyToOpen(Person(n), version);
      all += key.ok() ? std::string(key->view()) : absl::StatusCodeToString(key.status().code());
    }
    return all + (keys.FindTombstone(Person(n)).has_value() ? " gone" : " there");
  }

  // Lets `judge` say what becomes of one wrong byte of the file, which then is what it was.
  Verdict Flip(const std::string& kind, const fs::path& file, size_t at,
               const std::function<Verdict()>& judge) {
    const std::string whole = Content(file);
    const std::string bytes = WithWrongByte(random_, whole, at);
    SCOPED_TRACE(fmt::format("{}: byte {} of {} was {:#04x} and is {:#04x}", file.string(), at, bytes.size(),
                             static_cast<uint8_t>(whole[at]), static_cast<uint8_t>(bytes[at])));
    Write(file, bytes);
    const Verdict verdict = judge();
    verdicts_.Add(kind, verdict);
    Write(file, whole);
    return verdict;
  }
  static std::vector<fs::path> FilesBelow(const std::string& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path());
    }
    return files;
  }

  std::string data() const { return folder_.path() + "/data"; }
  std::string backups() const { return folder_.path() + "/backups"; }

  const uint32_t seed_ = Seed();
  std::mt19937 random_;
  const ScratchFolder folder_{ScratchFolder::Where::kMemory};
  const std::string master_ = MasterKeyRing::NewLine();
  std::map<int, std::string> keys_;
  Verdicts verdicts_;
};

// Size, instant and note of each line.
absl::StatusOr<std::vector<std::string>> ReadCheckpoints(const std::string& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<std::string> all;
  const auto read =
      eventstore::transparency::ReadCheckpointFile(opened, file, [&](const auto& kept, uint64_t) {
        all.push_back(fmt::format("{} {} {}", kept.checkpoint.size,
                                  absl::ToUnixMicros(kept.checkpoint.signed_at), kept.checkpoint.note));
        return absl::OkStatus();
      });
  ::close(opened);
  if (!read.ok()) return read.status();
  return all;
}

TEST_F(FlipBesideTest, AFlippedByteOfTheSignedCheckpointsIsToldOrTakesNothing) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte_of_checkpoints");
  const std::string file = data() + "/checkpoints";
  const std::vector<std::string> whole = *ReadCheckpoints(file);
  ASSERT_EQ(whole.size(), static_cast<size_t>(kSessions));
  const size_t size = fs::file_size(file);
  for (int64_t i = 0; i < FlipsOfAFile() * 10; ++i) {
    Flip("checkpoints", file, DrawPlace(random_, i, size), [&] {
      const auto read = ReadCheckpoints(file);
      if (!read.ok()) return absl::IsDataLoss(read.status()) ? Verdict::kRefused : Verdict::kLostInSilence;
      return *read == whole ? Verdict::kNothingLost : Verdict::kLostInSilence;
    });
  }
  EXPECT_GT(verdicts_.Count("checkpoints", Verdict::kRefused), 0);
  evidence.Set("seed", seed_);
  verdicts_.Tell(evidence);
}

TEST_F(FlipBesideTest, AFlippedByteOfTheKeysIsToldOrTakesNothing) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte_of_keys");
  for (const fs::path& file : FilesBelow(data() + "/keys")) {
    const size_t size = fs::file_size(file);
    for (int64_t i = 0; i < FlipsOfAFile(); ++i) {
      Flip("keys", file, DrawPlace(random_, i, size), [&] {
        const auto keys = OpenKeys();
        if (!keys.ok()) {
          const bool refused = absl::IsDataLoss(keys.status()) || absl::IsFailedPrecondition(keys.status());
          return refused ? Verdict::kRefused : Verdict::kLostInSilence;
        }
        for (int n = 0; n < kPersons; ++n) {
          if (KeysOf(**keys, n) != keys_[n]) return Verdict::kLostInSilence;
        }
        return Verdict::kNothingLost;
      });
    }
  }
  EXPECT_GT(verdicts_.Count("keys", Verdict::kRefused), 0);
  evidence.Set("seed", seed_);
  verdicts_.Tell(evidence);
}

std::string KindOfBackupFile(const fs::path& file) {
  if (file.parent_path().filename() == "generations")
    return file.extension() == ".json" ? "manifest" : "verified";
  if (file.parent_path().filename() != "files") return file.filename().string();
  return file.filename().string().starts_with("table-") ? "table" : "content";
}

std::map<std::string, std::string> ContentsBelow(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      contents[fs::relative(entry.path(), folder).string()] = Content(entry.path());
  }
  return contents;
}

// A generation of all there is, which a trial restore has found sound.
void MakeBackup(const std::string& data, const std::string& backups, const std::string& trial) {
  const auto store = RocksEventStore::Open(SmallStore(data + "/log"));
  const auto made = BackupDirectory::OpenForWriting(backups);
  ASSERT_TRUE(store.ok() && made.ok());
  eventstore::CreateBackupOptions options;
  options.keys_directory = data + "/keys";
  options.checkpoints_file = data + "/checkpoints";
  const auto created = CreateBackup(**store, **made, options, NoteNothing);
  ASSERT_TRUE(created.ok()) << created.status();
  const auto verified = VerifyBackup(**made, created->manifest.generation, trial, NoteNothing);
  ASSERT_TRUE(verified.ok() && verified->sound());
}

// What is restored is the same to the last byte, or nothing is; when it was last found sound is the same, or
// nobody knows.
TEST_F(FlipBesideTest, AFlippedByteOfABackupIsToldOrTakesNothing) {
  SCOPED_TRACE(fmt::format("seed {}", seed_));
  Evidence evidence("flipped_byte_of_backup");
  MakeBackup(data(), backups(), folder_.path() + "/trial");
  const std::string restored = folder_.path() + "/restored";
  const auto restore = [&]() -> absl::Status {
    fs::remove_all(restored);
    const auto opened = BackupDirectory::OpenExisting(backups(), false);
    if (!opened.ok()) return opened.status();
    eventstore::RestoreOptions options;
    options.data = restored;
    return RestoreBackup(**opened, options, NoteNothing).status();
  };
  ASSERT_TRUE(restore().ok());
  const std::map<std::string, std::string> whole = ContentsBelow(restored);
  ASSERT_TRUE(whole.contains("checkpoints"));
  const auto verified_at = (*BackupDirectory::Peek(backups()))[0].verified_at;
  ASSERT_TRUE(verified_at.has_value());
  const auto judge = [&] {
    const auto listed = BackupDirectory::Peek(backups());
    if (listed.ok() && listed->at(0).verified_at.has_value() && listed->at(0).verified_at != verified_at)
      return Verdict::kLostInSilence;
    const absl::Status status = restore();
    const bool refused = absl::IsDataLoss(status) || absl::IsFailedPrecondition(status);
    if (!status.ok()) return refused ? Verdict::kRefused : Verdict::kTold;
    return ContentsBelow(restored) == whole ? Verdict::kNothingLost : Verdict::kLostInSilence;
  };
  for (const fs::path& file : FilesBelow(backups())) {
    const size_t size = fs::file_size(file);
    for (int64_t i = 0; i < FlipsOfAFile(); ++i)
      Flip(KindOfBackupFile(file), file, DrawPlace(random_, i, size), judge);
  }
  for (const std::string kind : {"format", "manifest", "verified", "table", "content"})
    EXPECT_TRUE(verdicts_.Contains(kind)) << kind;
  EXPECT_EQ(verdicts_.Count("table", Verdict::kNothingLost), 0);
  EXPECT_EQ(verdicts_.Count("verified", Verdict::kNothingLost), FlipsOfAFile());
  evidence.Set("seed", seed_);
  verdicts_.Tell(evidence);
}

}  // namespace
}  // namespace qinglan::fault
