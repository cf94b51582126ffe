// Where a write-ahead log ends after a crash: behind the last whole record, whatever of the next one the disk
// got to; and damage is told from a write that was cut short.
#include "eventstore/rocks/disk/log_end.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace qinglan::eventstore::rocks {
namespace {

using testing::HasSubstr;

constexpr size_t kHead = 7;
constexpr size_t kSector = 512;
constexpr size_t kZeros = 100'000;

uint32_t MaskedCrc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// A log as RocksDB writes it, and where each of its records begins.
struct Log {
  std::string bytes;
  std::vector<size_t> begins;

  void Add(std::string_view payload) {
    bool first = true;
    do {
      size_t left = kLogBlockBytes - bytes.size() % kLogBlockBytes;
      if (left < kHead) bytes.append(left, '\0');
      if (left < kHead) left = kLogBlockBytes;
      if (first) begins.push_back(bytes.size());
      const std::string_view part = payload.substr(0, left - kHead);
      payload.remove_prefix(part.size());
      const char type = first ? (payload.empty() ? 1 : 2) : (payload.empty() ? 4 : 3);
      const std::string covered = type + std::string(part);
      const uint32_t crc = MaskedCrc32c(covered);
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(crc >> shift);
      bytes += static_cast<char>(part.size() & 0xff);
      bytes += static_cast<char>(part.size() >> 8);
      bytes += covered;
      first = false;
    } while (!payload.empty());
  }
};

// Bytes none of which is zero, so that what is zero was never written.
std::string Payload(size_t size, std::mt19937& random) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(1 + random() % 255);
  return bytes;
}

std::string Prepared(const std::string& bytes) { return bytes + std::string(kZeros, '\0'); }

class LogEndTest : public testing::Test {
 protected:
  LogEndTest() {
    for (const size_t size : {100u, 3000u, 70'000u, 40u, 900u}) log_.Add(Payload(size, random_));
  }
  // The sector that holds `at`, as far as it is the last record's, is as it was prepared.
  static void Lose(std::string& bytes, size_t record, size_t at) {
    const size_t begin = std::max(record, at - at % kSector);
    const size_t end = std::min(bytes.size(), at - at % kSector + kSector);
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(begin), bytes.begin() + static_cast<ptrdiff_t>(end),
              '\0');
  }
  static void ExpectEnd(const std::string& bytes, size_t end) {
    const auto found = EndOfLog(bytes, 0, "1.log");
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->records, end);
  }
  static void ExpectDamage(const std::string& bytes, size_t at, const std::string& why) {
    const auto found = EndOfLog(bytes, 0, "1.log");
    EXPECT_EQ(found.status().code(), absl::StatusCode::kDataLoss) << found->records;
    EXPECT_THAT(std::string(found.status().message()),
                HasSubstr(fmt::format("1.log: the record at byte {} is damaged: {}", at, why)));
  }

  std::mt19937 random_{7};
  Log log_;
};

TEST_F(LogEndTest, IsWhereTheLastWholeRecordEnds) {
  ExpectEnd("", 0);
  ExpectEnd(std::string(kZeros, '\0'), 0);
  ExpectEnd(log_.bytes, log_.bytes.size());
  ExpectEnd(Prepared(log_.bytes), log_.bytes.size());
  log_.Add(std::string(5000, '\0'));  // zeros that were written
  ExpectEnd(Prepared(log_.bytes), log_.bytes.size());
  log_.Add("");
  ExpectEnd(Prepared(log_.bytes), log_.bytes.size());
}

TEST_F(LogEndTest, OfARecordThatFillsItsBlockExactly) {
  for (const size_t left : {0u, 1u, 6u, 7u, 8u}) {
    Log log;
    log.Add(Payload(kLogBlockBytes - kHead - left, random_));
    ExpectEnd(Prepared(log.bytes), log.bytes.size());
    log.Add(Payload(1000, random_));
    ExpectEnd(Prepared(log.bytes), log.bytes.size());
  }
}

TEST_F(LogEndTest, LooksAtAWindowThatBeginsInsideARecord) {
  const std::string bytes = Prepared(log_.bytes);
  const auto found = EndOfLog(std::string_view(bytes).substr(kLogBlockBytes), kLogBlockBytes, "1.log");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->records, log_.bytes.size());
}

TEST_F(LogEndTest, AWriteOfWhichSectorsAreMissingIsNotThere) {
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    Log log;
    for (uint32_t n = random_() % 4; n > 0; --n) log.Add(Payload(random_() % 2000, random_));
    const size_t record = log.bytes.size();
    // Some write one sector, some a part of a block, some several blocks.
    const uint32_t size_max = round % 3 == 0 ? 100'000 : round % 3 == 1 ? 20'000 : 600;
    log.Add(Payload(1 + random_() % size_max, random_));
    bool lost = false;
    const uint32_t one_in = 1 + random_() % 8;
    for (size_t at = log.begins.back(); at < log.bytes.size(); at = at - at % kSector + kSector) {
      if (random_() % one_in != 0) continue;
      Lose(log.bytes, log.begins.back(), at);
      lost = true;
    }
    const auto found = EndOfLog(Prepared(log.bytes), 0, "1.log");
    ASSERT_TRUE(found.ok()) << found.status();
    if (!lost) {
      EXPECT_EQ(found->records, log.bytes.size());
    } else {  // the padding of a block before it may count or not
      EXPECT_GE(found->records, record);
      EXPECT_LE(found->records, log.begins.back());
    }
  }
}

TEST_F(LogEndTest, TellsHowFarWasWrittenOfARecordThatWasBegun) {
  const std::string begun = log_.bytes + [&] {
    Log next;
    next.bytes =
        std::string(log_.bytes.size(), 'x');  // so that it is cut into pieces where this one would be
    next.Add(Payload(3 * kLogBlockBytes, random_));
    return next.bytes.substr(log_.bytes.size());
  }();
  const size_t piece_end = (log_.bytes.size() / kLogBlockBytes + 2) * kLogBlockBytes;
  for (const size_t left : {piece_end, piece_end + 1000}) {  // whole pieces alone; and one that the end cuts
    const auto found = EndOfLog(begun.substr(0, left), 0, "1.log");
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->records, log_.bytes.size());
    EXPECT_EQ(found->written, left);
  }
  const auto prepared = EndOfLog(Prepared(begun.substr(0, piece_end)), 0, "1.log");
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->records, log_.bytes.size());
  EXPECT_EQ(prepared->written, piece_end);
  std::string torn = Prepared(begun);
  std::fill_n(torn.begin() + static_cast<ptrdiff_t>(piece_end), 2 * kSector, '\0');
  const auto lacking = EndOfLog(torn, 0, "1.log");
  ASSERT_TRUE(lacking.ok()) << lacking.status();
  EXPECT_EQ(lacking->records, log_.bytes.size());
  EXPECT_EQ(lacking->written, log_.bytes.size());
}

TEST_F(LogEndTest, AWriteThatTheEndOfTheFileCutsIsNotThere) {
  for (const size_t left : {1u, 3u, 6u, 7u, 8u, 500u}) {
    const auto found = EndOfLog(log_.bytes.substr(0, log_.begins.back() + left), 0, "1.log");
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->records, log_.begins.back());
  }
}

TEST_F(LogEndTest, AFlippedByteIsDamageAndNotAWriteCutShort) {
  const size_t last = log_.begins.back();
  for (size_t at = last; at < log_.bytes.size(); ++at) {
    SCOPED_TRACE(fmt::format("byte {} of the last record", at - last));
    std::string bytes = Prepared(log_.bytes);
    bytes[at] = static_cast<char>(~bytes[at]);
    if (bytes[at] == '\0') bytes[at] = 1;
    const bool length = at == last + 4 || at == last + 5;
    ExpectDamage(bytes, last, length ? "its length is wrong" : "its checksum does not fit");
  }
}

TEST_F(LogEndTest, DamageBeforeAWholeRecordIsDamageWhateverItLooksLike) {
  const size_t before = log_.begins[log_.begins.size() - 2];
  const size_t last = log_.begins.back();
  const std::string why = fmt::format("a whole one follows at byte {}", last);
  std::string bytes = Prepared(log_.bytes);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(before), last - before, '\0');
  ExpectDamage(bytes, before, why);

  // In another block than the next whole one.
  Log log;
  log.Add(Payload(100, random_));
  log.Add(Payload(2 * kLogBlockBytes, random_));
  log.Add(Payload(100, random_));
  bytes = Prepared(log.bytes);
  std::fill_n(bytes.begin() + kLogBlockBytes, kLogBlockBytes, '\0');
  ExpectDamage(bytes, kLogBlockBytes, fmt::format("a whole one follows at byte {}", log.begins.back()));
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
