// A log as a stream, and a log cut off: the same records, loaded in bulk, and nothing of a stream that is not
// whole.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <random>
#include <string>

#include "eventstore/rocks/backup/bulk_loader.h"
#include "eventstore/rocks/backup/log_stream.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/fsck.h"
#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Written(const RocksEventStore& store, const std::string& keys) {
  std::string bytes;
  const auto written = WriteLogStream(
      store, keys,
      [&](std::string_view piece) {
        bytes.append(piece);
        return absl::OkStatus();
      },
      NoteNothing);
  EXPECT_TRUE(written.ok()) << written.status();
  return bytes;
}

// Hands out the bytes some at a time.
ByteSource From(std::string_view bytes, size_t piece = 1000) {
  return [bytes, piece](char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
    const size_t got = std::min({bytes.size(), size, piece});
    bytes.copy(buffer, got);
    bytes.remove_prefix(got);
    return got;
  };
}

FsckReport Checked(const std::string& data) {
  const auto report = FsckDirectory(data + "/log", [](auto, auto, auto) {});
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *report : FsckReport();
}

// The records of a log as they lie there.
std::string RecordsOf(const RocksEventStore& store) {
  std::string records;
  const auto read =
      rocks::ForEachRecord(store.database(), *store.Head(), [&](Position last, std::string_view record) {
        records += fmt::format("{} {}\n", last.value, std::string(record));
        return absl::OkStatus();
      });
  EXPECT_TRUE(read.ok()) << read;
  return records;
}

class StreamTest : public testing::Test {
 protected:
  void Fill(int commits) {
    store_ = installation_.Open();
    AppendCommits(*store_, 1, commits);
    installation_.WriteKey("keys-00", "a key");
    installation_.WriteKey("keys-01", std::string(2'500'000, 'k'));
    stream_ = Written(*store_, installation_.In("data/keys"));
  }
  absl::Status Restore(std::string_view stream, const std::string& name = "restored") {
    return RestoreLogStream(From(stream), installation_.In(name), NoteNothing).status();
  }
  void ExpectNothingThere() {
    EXPECT_FALSE(fs::exists(installation_.In("restored")));
    EXPECT_FALSE(fs::exists(installation_.In("restored.partial")));
  }

  const Installation installation_;
  std::unique_ptr<RocksEventStore> store_;
  std::string stream_;
};

TEST_F(StreamTest, ALogComesOutOfItsStreamByteForByteAndGoesOn) {
  Fill(500);
  const absl::Status restored = Restore(stream_);
  ASSERT_TRUE(restored.ok()) << restored;
  const std::string data = installation_.In("restored");
  EXPECT_THAT(Checked(data).problems, IsEmpty());
  EXPECT_EQ(Contents(data + "/keys"), Contents(installation_.In("data/keys")));
  const auto store = installation_.Open(data);
  EXPECT_EQ(store->store_id(), store_->store_id());
  EXPECT_EQ(Dump(*store), Dump(*store_));
  EXPECT_EQ(RecordsOf(*store), RecordsOf(*store_));
  AppendCommits(*store, 490, 520);  // retries first
  const auto report = Fsck(*store, [](auto, auto, auto) {});
  ASSERT_TRUE(report.ok() && report->clean());
  EXPECT_EQ(report->commits, 520u);
  EXPECT_EQ(Written(*store_, ""), Written(*store_, "")) << "the same log is the same stream";
}

TEST_F(StreamTest, AnEmptyLogIsAStreamToo) {
  store_ = installation_.Open();
  ASSERT_TRUE(Restore(Written(*store_, "")).ok());
  EXPECT_THAT(Checked(installation_.In("restored")).problems, IsEmpty());
}

TEST_F(StreamTest, AnyFlippedByteIsDataLossWithAPositionAndLeavesNothing) {
  Fill(60);
  ASSERT_TRUE(Restore(stream_, "whole").ok());
  const uint64_t head = store_->Head()->value;
  std::mt19937 random(20261125);
  for (int round = 0; round < 60; ++round) {
    const size_t at = round < 20 ? static_cast<size_t>(round) * 3 : random() % stream_.size();
    std::string damaged = stream_;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    const absl::Status status = Restore(damaged);
    ASSERT_EQ(status.code(), StatusCode::kDataLoss) << at << status;
    ASSERT_THAT(std::string(status.message()), HasSubstr("position ")) << at;
    ExpectNothingThere();
  }
  // What comes before the damage is named: the keys lie behind all events.
  std::string damaged = stream_;
  damaged[damaged.size() - 1000] ^= 1;
  EXPECT_THAT(std::string(Restore(damaged).message()), HasSubstr(fmt::format("position {}:", head + 1)));
}

TEST_F(StreamTest, CutShortAnywhereItIsDataLoss) {
  Fill(40);
  for (size_t size = 0; size < stream_.size(); size += 1 + stream_.size() / 40) {
    EXPECT_EQ(Restore(stream_.substr(0, size)).code(), StatusCode::kDataLoss) << size;
    ExpectNothingThere();
  }
  EXPECT_EQ(Restore(stream_.substr(0, stream_.size() - 1)).code(), StatusCode::kDataLoss);
  EXPECT_EQ(Restore(stream_ + "x").code(), StatusCode::kDataLoss);
  EXPECT_EQ(Restore(stream_ + stream_).code(), StatusCode::kDataLoss);
}

TEST_F(StreamTest, ASourceThatFailsFailsTheRestoreWithItsOwnError) {
  Fill(40);
  size_t left = stream_.size() / 2;
  const ByteSource good = From(stream_);
  const auto failing = [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const auto got = good(buffer, size);
    left -= std::min(left, *got);
    if (left == 0) return absl::UnavailableError("the line broke");
    return got;
  };
  EXPECT_EQ(RestoreLogStream(failing, installation_.In("restored"), NoteNothing).status().code(),
            StatusCode::kUnavailable);
  ExpectNothingThere();
}

// Well-formed frames whose content is wrong.
class FramedStream {
 public:
  FramedStream()
      : frames_([this](std::string_view piece) {
          bytes_.append(piece);
          return absl::OkStatus();
        }) {}
  FramedStream& Put(rocks::FrameKind kind, std::string_view body) {
    EXPECT_TRUE(frames_.Write(kind, body).ok());
    return *this;
  }
  std::string End(std::string_view counts) {
    EXPECT_TRUE(frames_.End(counts).ok());
    return bytes_;
  }

 private:
  std::string bytes_;
  rocks::FrameWriter frames_;
};

TEST_F(StreamTest, FramesThatMakeNoLogAreDataLoss) {
  using rocks::FrameKind;
  const std::string head = std::string(
                               "\x04"
                               "abcd") +
                           "\x01"
                           "2" +
                           '\0';  // store id, format, position 0
  const std::string none(3, '\0');
  EXPECT_TRUE(Restore(FramedStream().Put(FrameKind::kHead, head).End(none), "fine").ok());
  const std::string key = std::string(
                              "\x07"
                              "keys-00") +
                          '\0' + "content";
  const std::vector<std::string> broken = {
      FramedStream().End(none),
      FramedStream().Put(FrameKind::kHead, "nonsense").End(none),
      FramedStream().Put(FrameKind::kHead, head).Put(FrameKind::kHead, head).End(none),
      FramedStream()
          .Put(FrameKind::kHead, head)
          .Put(FrameKind::kLog,
               "\x01\x03"
               "abc")
          .End(none),
      FramedStream().Put(FrameKind::kHead, head).Put(FrameKind::kLog, std::string(2, '\0')).End(none),
      FramedStream().Put(FrameKind::kHead, head).Put(FrameKind::kLog, "").End(none),
      FramedStream().Put(FrameKind::kHead, head).Put(FrameKind::kKeys, key).End(none),  // more keys than
                                                                                        // counted
      FramedStream()
          .Put(FrameKind::kHead, head)
          .Put(FrameKind::kKeys,
               "\x0a../keys-00"
               "x")
          .End(none),
      FramedStream()
          .Put(FrameKind::kHead, head)
          .Put(FrameKind::kKeys,
               "\x0amaster.key"
               "x")
          .End(none),
      FramedStream().Put(FrameKind::kHead, head).End(""),
      FramedStream().Put(FrameKind::kHead, head).End("\x01\x01\x00"),
  };
  for (size_t i = 0; i < broken.size(); ++i) {
    EXPECT_EQ(Restore(broken[i]).code(), StatusCode::kDataLoss) << i;
    ExpectNothingThere();
  }
  const std::string later = std::string(
                                "\x04"
                                "abcd") +
                            "\x01"
                            "9" +
                            '\0';
  EXPECT_EQ(Restore(FramedStream().Put(FrameKind::kHead, later).End(none)).code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(StreamTest, TheLoaderTakesOnlyWhatComesNext) {
  Fill(20);
  std::vector<std::pair<Position, std::string>> records;
  ASSERT_TRUE(
      rocks::ForEachRecord(store_->database(), *store_->Head(), [&](Position last, std::string_view record) {
        records.emplace_back(last, record);
        return absl::OkStatus();
      }).ok());
  // Small limits, so that a few commits fill several files of each kind.
  const auto loader = rocks::BulkLoader::Make(installation_.In("loaded"), "id", {1000, 2000});
  ASSERT_TRUE(loader.ok()) << loader.status();
  ASSERT_TRUE((*loader)->Add(records[0].first, records[0].second).ok());
  EXPECT_EQ((*loader)->Add(records[2].first, records[2].second).code(), StatusCode::kDataLoss) << "a hole";
  EXPECT_EQ((*loader)->Add(records[0].first, records[0].second).code(), StatusCode::kDataLoss) << "twice";
  EXPECT_EQ((*loader)->Add(records[1].first, records[1].second + "x").code(), StatusCode::kDataLoss);
  EXPECT_EQ((*loader)->end().head, records[0].first);
}

// Postings go to the index thread in batches of 32,768 and more: one of these commits fills the first.
TEST_F(StreamTest, WhatFillsABatchWithItsLastCommitIsIndexedToItsEnd) {
  Fill(0);
  for (int n = 1; n <= 18; ++n) {
    AppendRequest request;
    request.commit_id = fmt::format("large-{}", n);
    for (int e = 0; e < 1000; ++e)
      request.events.push_back({"type", {fmt::format("e:{}", e)}, absl::CivilDay(2026, 9, 1), "payload"});
    ASSERT_TRUE(store_->AppendAndWait(std::move(request)).ok());
    if (n < 10) continue;
    const std::string name = fmt::format("loaded-{}", n);
    const auto loader = rocks::BulkLoader::Make(installation_.In(name), store_->store_id(), {});
    ASSERT_TRUE(loader.ok()) << loader.status();
    ASSERT_TRUE(rocks::ForEachRecord(
                    store_->database(), *store_->Head(),
                    [&](Position last, std::string_view record) { return (*loader)->Add(last, record); })
                    .ok());
    ASSERT_TRUE((*loader)->Finish().ok());
    const auto report = FsckDirectory(installation_.In(name), [](auto, auto, auto) {});
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->problems, IsEmpty());
    EXPECT_EQ(report->indexed_up_to, *store_->Head()) << n;
  }
}

TEST_F(StreamTest, ManyFilesOfEachKindMakeOneSoundStore) {
  Fill(2000);
  const auto loader =
      rocks::BulkLoader::Make(installation_.In("loaded"), store_->store_id(), {20'000, 60'000});
  ASSERT_TRUE(loader.ok()) << loader.status();
  ASSERT_TRUE(
      rocks::ForEachRecord(store_->database(), *store_->Head(), [&](Position last, std::string_view record) {
        return (*loader)->Add(last, record);
      }).ok());
  const auto end = (*loader)->Finish();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->head, *store_->Head());
  const auto report = FsckDirectory(installation_.In("loaded"), [](auto, auto, auto) {});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, IsEmpty());
}

TEST_F(StreamTest, ARestoreGoesToAPositionOrAnInstant) {
  Fill(300);
  installation_.Back(*store_);
  AppendCommits(*store_, 301, 310);
  const Position head = installation_.Backups()->Newest()->head;
  for (const uint64_t position :
       {uint64_t{2}, uint64_t{3}, uint64_t{4}, uint64_t{100}, head.value - 1, head.value}) {
    const std::string name = fmt::format("to-{}", position);
    const auto restored = installation_.Restore(name, {.to_position = Position(position)});
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_LE(restored->head.value, position);
    EXPECT_GE(restored->head.value + 2, position) << "commits have three events at most";
    EXPECT_THAT(Checked(installation_.In(name)).problems, IsEmpty());
    const auto store = installation_.Open(installation_.In(name));
    EXPECT_EQ(Dump(*store), Dump(*store_, restored->head));
    EXPECT_EQ(*store->Head(), restored->head);
    AppendCommits(*store, 1000, 1001);
  }
  EXPECT_EQ(installation_.Restore("past", {.to_position = head.Next()}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_FALSE(fs::exists(installation_.In("past")));
  for (const uint64_t before_all : {0, 1}) {  // the first commit has two events
    EXPECT_EQ(installation_.Restore("none", {.to_position = Position(before_all)}).status().code(),
              StatusCode::kOutOfRange);
  }
  EXPECT_FALSE(fs::exists(installation_.In("none")));
}

TEST_F(StreamTest, WhatWasKnownAtAnInstantIsRestored) {
  Fill(50);
  const absl::Time then = absl::Now();
  const Position known = *store_->HeadAt(then);
  AppendCommits(*store_, 51, 100);
  installation_.Back(*store_);
  const auto restored = installation_.Restore("then", {.to_instant = then});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->head, known);
  EXPECT_EQ(Dump(*installation_.Open(installation_.In("then"))), Dump(*store_, known));
  EXPECT_EQ(installation_.Restore("later", {.to_instant = absl::Now() + absl::Hours(1)}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(installation_.Restore("before", {.to_instant = absl::UnixEpoch()}).status().code(),
            StatusCode::kOutOfRange);
}

TEST_F(StreamTest, ACutOfADamagedGenerationIsRefused) {
  Fill(300);
  const BackupManifest manifest = installation_.Back(*store_).manifest;
  for (const BackupFile& file : manifest.files) {
    if (file.pool.starts_with("table-")) FlipByteOf(installation_.In("backups/files/" + file.pool), 100);
  }
  EXPECT_EQ(installation_.Restore("cut", {.to_position = Position(200)}).status().code(),
            StatusCode::kDataLoss);
  EXPECT_FALSE(fs::exists(installation_.In("cut")));
  EXPECT_FALSE(fs::exists(installation_.In("cut.partial")));
}

}  // namespace
}  // namespace qinglan::eventstore
