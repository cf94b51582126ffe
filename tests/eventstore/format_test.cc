// The stored bytes, held against golden files: what was written once must be readable for ever.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore::rocks {
namespace {

using testing::ElementsAre;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// A golden file's lines without its comments.
std::vector<std::string> Golden(const std::string& name) {
  std::ifstream file(std::string(QINGLAN_SOURCE_DIR) + "/tests/eventstore/golden/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

constexpr Position kLast(1'000'001);

AppendRequest GoldenRequest() {
  AppendRequest request = MakeRequest("0d9f0c9e-7f2b-4c3a-9d52-0a1c2b3d4e5f", {});
  request.fingerprint = std::string("\x01\x02\xfe\xff", 4);
  request.actor = "user:1";
  request.correlation_id = "flow";
  request.causation_id = "";
  request.events = {MakeEvent("training.Enrolled", {"teacher:1", "session:1"}, "one"),
                    MakeEvent("registry.Noted", {}, ""),
                    MakeEvent("training.Enrolled", {"session:1"}, std::string("\0\x80", 2))};
  request.events[1].occurred_on = absl::CivilDay(1949, 10, 1);
  return request;
}

const absl::Time kRecordedAt = absl::FromUnixMicros(1'790'000'000'123'456);

TEST(FormatTest, ARecordIsWrittenAsInTheGoldenFile) {
  EXPECT_THAT(Golden("record.hex"), ElementsAre(Hex(EncodeRecord(GoldenRequest(), kLast, kRecordedAt))));
}

TEST(FormatTest, TheGoldenRecordIsReadAsItWasWritten) {
  const std::vector<std::string> lines = Golden("record.hex");
  ASSERT_EQ(lines.size(), 1u);
  const std::string bytes = Unhex(lines[0]);
  auto record = Record::Parse(kLast, bytes);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->first(), Position(999'999));
  EXPECT_EQ(record->recorded_at(), kRecordedAt);
  EXPECT_EQ(record->commit_id(), GoldenRequest().commit_id);
  EXPECT_EQ(record->fingerprint(), GoldenRequest().fingerprint);
  EXPECT_TRUE(record->CheckWhole().ok());
  EventView event;
  for (const uint64_t index : {2, 0, 1}) {
    ASSERT_TRUE(record->Event(Position(999'999 + index), event).ok());
    const NewEvent written = GoldenRequest().events[index];
    EXPECT_EQ(event.type, written.type);
    EXPECT_EQ(std::vector<std::string>(event.tags.begin(), event.tags.end()), written.tags);
    EXPECT_EQ(event.occurred_on, written.occurred_on);
    EXPECT_EQ(event.payload, written.payload);
    EXPECT_EQ(event.actor, "user:1");
    EXPECT_EQ(event.index_in_commit, index);
  }
}

TEST(FormatTest, PostingsAreWrittenAsInTheGoldenFile) {
  const AppendRequest request = GoldenRequest();
  CommitPostings postings(request.commit_id, kLast);
  Position position(999'999);
  for (const NewEvent& event : request.events) {
    const std::vector<std::string_view> tags(event.tags.begin(), event.tags.end());
    postings.AddEvent(position, event.type, tags);
    position = position.Next();
  }
  std::vector<std::string> lines;
  std::string previous;
  postings.ForEach([&](const Term& term, std::string_view key, std::string_view value) {
    EXPECT_LT(previous, key);
    previous = key;
    Places places;
    EXPECT_TRUE(DecodePlaces(term.kind(), value, kLast, places));
    lines.push_back(Hex(key) + (value.empty() ? "" : " " + Hex(value)));
    for (const Place& place : places) lines.back() += fmt::format(" {}", place.position.value);
  });
  EXPECT_EQ(lines, Golden("postings.hex"));
}

TEST(FormatTest, EveryFlippedBitOfARecordIsFound) {
  const std::string bytes = EncodeRecord(GoldenRequest(), kLast, kRecordedAt);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const absl::Status status = Record::Parse(kLast, damaged).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << bit;
    ASSERT_THAT(std::string(status.message()), testing::HasSubstr("position 1000001"));
  }
}

TEST(FormatTest, ARecordThatIsCutShortOrInAnotherPlaceIsFound) {
  const std::string bytes = EncodeRecord(GoldenRequest(), kLast, kRecordedAt);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Record::Parse(kLast, bytes.substr(0, size)).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(Record::Parse(kLast.Next(), bytes).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FormatTest, NoRecordIsAtTheLastNumberThatThereIs) {
  const Position end(UINT64_MAX);  // there is no position after it
  EXPECT_EQ(Record::Parse(end, EncodeRecord(GoldenRequest(), end, kRecordedAt)).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(FormatTest, NumbersComeBackAndBrokenOnesAreRefused) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{300}, uint64_t{1} << 63, UINT64_MAX}) {
    std::string bytes;
    AppendVarint(bytes, value);
    EXPECT_EQ(bytes.size(), VarintBytes(value));
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.Varint(), value);
    EXPECT_TRUE(decoder.ok() && decoder.rest().empty());
  }
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{-25569}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(UnZigZag(ZigZag(value)), value);
  }
  for (const std::string& broken :
       {std::string(), std::string("\x80"), std::string(10, '\x80') + '\0', std::string(9, '\xff') + '\x02',
        std::string("\x05"
                    "abcd")}) {
    Decoder decoder(broken);
    EXPECT_EQ(decoder.Text(), "");
    EXPECT_FALSE(decoder.ok());
    EXPECT_EQ(decoder.Fixed32(), 0u);
  }
}

TEST(FormatTest, BrokenPostingsAreRefused) {
  Places places;
  EXPECT_FALSE(DecodePlaces(TermKind::kCommit, "x", kLast, places));
  EXPECT_FALSE(DecodePlaces(TermKind::kTag, "", kLast, places));
  EXPECT_FALSE(DecodePlaces(TermKind::kTag, "abc", kLast, places));
  EXPECT_FALSE(DecodePlaces(TermKind::kType, "\x80", kLast, places));
  EXPECT_FALSE(DecodePlaces(TermKind::kType, "\x05", Position(5), places));  // position 0
  EXPECT_FALSE(DecodePlaces(TermKind::kType, "\x02\x02", kLast, places));    // one event twice
  EXPECT_FALSE(DecodePlaces(TermKind::kType, "\x02\x03", kLast, places));    // a later one first
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
