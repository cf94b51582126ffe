// The file of signed checkpoints under damage of every kind: told with its line, or nothing is lost.
#include "services/eventstore/proofs/checkpoint_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/harness/stage.h"

namespace qinglan::proofs {
namespace {

using eventstore::transparency::Hash;
using eventstore::transparency::SigningKey;
using ::testing::HasSubstr;

constexpr uint64_t kSizes[] = {3, 40, 500};
constexpr char kNothing = '\0';

class CheckpointLogTest : public testing::Test {
 protected:
  // Each cut is told, by the thousand.
  CheckpointLogTest() { spdlog::set_level(spdlog::level::off); }
  ~CheckpointLogTest() override { spdlog::set_level(spdlog::level::info); }

  absl::StatusOr<std::unique_ptr<CheckpointLog>> Open() const {
    return CheckpointLog::Open(file(), key_.verifier());
  }
  SignedCheckpoint Signed(uint64_t size) const {
    Hash root;
    root.bytes.fill(static_cast<char>(size));
    return {size, eventstore::transparency::SignCheckpoint({size, root}, key_),
            absl::FromUnixMicros(static_cast<int64_t>(size) * 1'000'001)};
  }
  // The file with a checkpoint of each size, as it is written.
  std::string Written() const {
    const auto log = *Open();
    for (const uint64_t size : kSizes) EXPECT_TRUE(log->Append(Signed(size)).ok());
    return Content();
  }
  // As versions wrote it that knew no checksums.
  std::string WrittenFormerly() const {
    std::string all;
    for (const uint64_t size : kSizes) {
      std::string note = Signed(size).note;
      for (size_t at = 0; (at = note.find('\n', at)) != std::string::npos; at += 2)
        note.replace(at, 1, "\\n");
      all += fmt::format(R"({{"size":{},"signed_at":"1970-01-01T00:{:02}:{:02}.{:06}Z","note":"{}"}})", size,
                         size / 60, size % 60, size, note);
      all += '\n';
    }
    return all;
  }
  std::string file() const { return folder_.path() + "/checkpoints"; }
  std::string torn_file() const { return file() + ".torn"; }
  std::string Content() const { return ContentOf(file()); }
  static std::string ContentOf(const std::string& path) {
    std::ifstream content(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(content), {}};
  }
  void Write(std::string_view content) const { std::ofstream(file(), std::ios::binary) << content; }
  std::vector<uint64_t> SizesKept() const {
    std::vector<uint64_t> sizes;
    const auto log = Open();
    if (!log.ok()) return {};
    const auto read = (*log)->Read(0, 10);
    if (!read.ok()) return {};
    for (const SignedCheckpoint& kept : *read) {
      EXPECT_EQ(kept.note, Signed(kept.size).note);
      EXPECT_EQ(kept.signed_at, Signed(kept.size).signed_at);
      sizes.push_back(kept.size);
    }
    return sizes;
  }

  const tests::TemporaryFolder folder_;
  const SigningKey key_ = *SigningKey::Generate("test.example/log");
};

TEST_F(CheckpointLogTest, EveryByteThatIsAnotherIsDataLossWithItsLineAndNothingIsCutOff) {
  const std::string whole = Written();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char wrong :
         {static_cast<char>(whole[at] ^ 1), static_cast<char>(whole[at] ^ 0x80), '\n', kNothing}) {
      if (wrong == whole[at]) continue;
      std::string damaged = whole;
      damaged[at] = wrong;
      Write(damaged);
      const auto opened = Open();
      if (at + 1 == whole.size() && wrong == kNothing) {  // as a file that grew before its last byte came
        EXPECT_TRUE(opened.ok()) << opened.status();
        EXPECT_EQ(Content(), whole);
        continue;
      }
      ASSERT_TRUE(absl::IsDataLoss(opened.status())) << at << ": " << opened.status();
      const auto line = 1 + std::count(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(at), '\n');
      ASSERT_THAT(std::string(opened.status().message()),
                  HasSubstr(fmt::format("{}, line {}: ", file(), line)))
          << at;
      ASSERT_EQ(Content(), damaged) << at;
    }
  }
}

TEST_F(CheckpointLogTest, AWriteThatWasCutShortAnywhereTakesItsOwnLineAloneAndTheNextOneFollows) {
  const std::string whole = Written();
  for (size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    for (const size_t zeros : {size_t{0}, size_t{700}}) {  // the file may have grown further
      if (zeros > 0 && bytes % 5 != 0) continue;           // each opening syncs
      const std::string cut = whole.substr(0, bytes);
      Write(cut + std::string(zeros, '\0'));
      std::filesystem::remove(torn_file());
      // One whose checksum is there is whole.
      const size_t end = whole.find('\n', bytes);
      const bool lacks_end = end != std::string::npos && end + 1 - bytes <= std::string_view("\"}\n").size();
      const std::string kept = lacks_end ? whole.substr(0, end + 1) : cut.substr(0, cut.rfind('\n') + 1);
      {
        const auto log = Open();
        ASSERT_TRUE(log.ok()) << bytes << ": " << log.status();
        ASSERT_EQ(Content(), kept) << bytes;
        const std::string torn = lacks_end ? "" : cut.substr(kept.size());
        ASSERT_EQ(ContentOf(torn_file()), torn.empty() ? "" : torn + "\n") << bytes;
        ASSERT_TRUE((*log)->Append(Signed(7000)).ok());
      }
      const std::vector<uint64_t> sizes = SizesKept();
      ASSERT_EQ(sizes.size(), static_cast<size_t>(std::count(kept.begin(), kept.end(), '\n')) + 1) << bytes;
    }
  }
}

// They were synced and shown, and are nothing that a crash leaves.
TEST_F(CheckpointLogTest, LastBytesThatAreOthersAreDataLossAndNothingIsCutOff) {
  const std::string whole = Written();
  const size_t behind_note = std::string_view(R"(,"xxh3":"0123456789abcdef"}.)").size();
  for (size_t last = 1; last <= behind_note; ++last) {
    for (const char wrong : {'x', '"', '}', '0', '\x80'}) {
      std::string damaged = whole;
      damaged.replace(damaged.size() - last, last, last, wrong);
      Write(damaged);
      const absl::Status status = Open().status();
      ASSERT_TRUE(absl::IsDataLoss(status)) << last << " " << wrong << ": " << status;
      ASSERT_THAT(std::string(status.message()), HasSubstr(file() + ", line 3: "));
      ASSERT_EQ(Content(), damaged);
    }
  }
  EXPECT_FALSE(std::filesystem::exists(torn_file()));
  const std::string former = WrittenFormerly();
  for (const std::string_view wrong : {"x", "xx", "\"xx", "}x", ",x"}) {
    Write(former.substr(0, former.size() - wrong.size()) + std::string(wrong));
    ASSERT_TRUE(absl::IsDataLoss(Open().status())) << wrong;
  }
}

TEST_F(CheckpointLogTest, WhatIsCutOffIsKeptEachTime) {
  const std::string whole = Written();
  const std::string before = whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1);
  std::string torn;
  for (const size_t bytes : {size_t{100}, size_t{1}}) {
    const std::string beginning = whole.substr(before.size(), bytes);
    Write(before + beginning);
    ASSERT_TRUE(Open().ok());
    torn += beginning + "\n";
    EXPECT_EQ(ContentOf(torn_file()), torn);
  }
  EXPECT_EQ(Content(), before);
  std::filesystem::remove(torn_file());
  std::filesystem::create_directory(torn_file());  // nothing can be kept there
  Write(before + "{");
  EXPECT_TRUE(absl::IsUnavailable(Open().status()));
  EXPECT_EQ(Content(), before + "{");
}

TEST_F(CheckpointLogTest, NothingIsMendedBeforeWhatStandsBeforeAndItsOriginAreKnown) {
  const auto elsewhere = *SigningKey::Generate("test.example/other");
  const std::string whole = Written();
  SignedCheckpoint forged = Signed(7000);
  const size_t last = forged.note.size() - 10;
  forged.note[last] = forged.note[last] == 'A' ? 'B' : 'A';
  ASSERT_TRUE((*Open())->Append(forged).ok());
  const std::string unsound = Content();
  for (const std::string& torn : {whole + "{", whole.substr(0, whole.size() - 1)}) {
    Write(torn);
    EXPECT_TRUE(absl::IsFailedPrecondition(CheckpointLog::Open(file(), elsewhere.verifier()).status()));
    EXPECT_EQ(Content(), torn);
  }
  for (const std::string& torn : {unsound + "{", unsound.substr(0, unsound.size() - 1)}) {
    Write(torn);
    EXPECT_TRUE(absl::IsDataLoss(Open().status()));
    EXPECT_EQ(Content(), torn);
  }
  EXPECT_FALSE(std::filesystem::exists(torn_file()));
}

TEST_F(CheckpointLogTest, TheFileIsOfOneAtATime) {
  const std::string whole = Written();
  Write(whole + "{");
  auto one = Open();
  ASSERT_TRUE(one.ok());
  Write(whole + "{");  // as if it were writing
  const absl::Status other = Open().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr(file()));
  EXPECT_EQ(Content(), whole + "{") << "what another writes is not mended";
  one->reset();
  EXPECT_TRUE(Open().ok());
}

TEST_F(CheckpointLogTest, ALineInAnotherPlaceIsDataLoss) {
  const std::string whole = Written();
  const size_t second = whole.find('\n') + 1;
  const size_t third = whole.find('\n', second) + 1;
  const std::string one = whole.substr(0, second);
  const std::string two = whole.substr(second, third - second);
  const std::string three = whole.substr(third);
  for (const std::string& wrong :
       {one + three, two, two + three, two + one + three, one + one + two + three, one + two + two + three,
        one + two + three + "x", one + two + three + "{}\n"}) {
    Write(wrong);
    const absl::Status status = Open().status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << wrong << status;
  }
}

TEST_F(CheckpointLogTest, LinesOfEarlierVersionsAreReadAndVouchedForByTheNextOne) {
  const std::string former = WrittenFormerly();
  Write(former);
  EXPECT_THAT(SizesKept(), testing::ElementsAre(3, 40, 500));
  EXPECT_EQ(Content(), former) << "what was written once stays as it is";
  ASSERT_TRUE((*Open())->Append(Signed(7000)).ok());
  EXPECT_THAT(SizesKept(), testing::ElementsAre(3, 40, 500, 7000));
  const std::string whole = Content();
  ASSERT_TRUE(whole.starts_with(former));
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 2);
    Write(damaged);
    ASSERT_TRUE(absl::IsDataLoss(Open().status())) << at;
  }
}

// Who went back to an earlier version for a while has such lines behind others.
TEST_F(CheckpointLogTest, ALineOfAnEarlierVersionBehindOthersIsReadAndItsSignatureVerified) {
  const std::string former = WrittenFormerly();
  const std::string last = former.substr(former.rfind('\n', former.size() - 2) + 1);
  ASSERT_TRUE((*Open())->Append(Signed(3)).ok());
  Write(Content() + last);
  EXPECT_THAT(SizesKept(), testing::ElementsAre(3, 500));
  std::string damaged = Content();
  damaged[damaged.size() - 20] = damaged[damaged.size() - 20] == 'A' ? 'B' : 'A';
  Write(damaged);
  EXPECT_TRUE(absl::IsDataLoss(Open().status()));
}

// There a checksum is missing still. The instant is nowhere else, and a signature whose key's id is another
// is taken for another key's.
TEST_F(CheckpointLogTest, OfAFileWithoutChecksumsAllBytesCountButThoseOfTheInstantAndTheKeysId) {
  const std::string former = WrittenFormerly();
  constexpr std::string_view kInstant = R"("signed_at":")";
  constexpr std::string_view kSignature = "\xe2\x80\x94 test.example/log ";
  constexpr size_t kInstantBytes = 27;
  constexpr size_t kKeyIdCharacters = 6;
  for (size_t at = 0; at + 1 < former.size(); ++at) {
    std::string damaged = former;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    Write(damaged);
    const absl::Status status = Open().status();
    const size_t instant = former.rfind(kInstant, at);
    const size_t signature = former.rfind(kSignature, at);
    const bool free =
        (instant != std::string::npos && at - instant < kInstant.size() + kInstantBytes) ||
        (signature != std::string::npos && at - signature < kSignature.size() + kKeyIdCharacters);
    ASSERT_TRUE(free || absl::IsDataLoss(status)) << at << ": " << status;
  }
}

TEST_F(CheckpointLogTest, ASignatureThatTheKeyDidNotMakeIsDataLossAndAnotherKeysIsNot) {
  const auto other = *SigningKey::Generate("test.example/log");
  Written();
  EXPECT_TRUE(CheckpointLog::Open(file(), other.verifier()).ok());
  SignedCheckpoint forged = Signed(7000);
  const size_t last = forged.note.size() - 10;
  forged.note[last] = forged.note[last] == 'A' ? 'B' : 'A';
  ASSERT_TRUE((*Open())->Append(forged).ok());
  const absl::Status status = Open().status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 4: its signature is not the key's"));
}

TEST_F(CheckpointLogTest, WhatChangesUnderAnOpenFileIsDataLossAndNoEndOfTheProcess) {
  const std::string whole = Written();
  const auto log = *Open();
  std::string damaged = whole;
  damaged[damaged.size() - 100] ^= 1;
  Write(damaged);
  EXPECT_TRUE(absl::IsDataLoss(log->Last().status()));
  EXPECT_TRUE(absl::IsDataLoss(log->Read(40, 10).status()));
  EXPECT_EQ(log->Read(0, 2)->size(), 2U);
  Write(whole.substr(0, 10));
  EXPECT_TRUE(absl::IsDataLoss(log->Last().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(log->Append(Signed(500))));
}

}  // namespace
}  // namespace qinglan::proofs
