// The leaf's bytes: as in the golden file for ever, and covering every byte that is stored of an event.
#include <absl/strings/escaping.h>
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "eventstore/rocks/format/record.h"
#include "eventstore/text.h"
#include "eventstore/transparency/hash.h"
#include "eventstore/transparency/leaf.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr Position kLast(1'000'001);
const absl::Time kRecordedAt = absl::FromUnixMicros(1'790'000'000'123'456);

AppendRequest GoldenRequest() {
  AppendRequest request;
  request.commit_id = "0d9f0c9e-7f2b-4c3a-9d52-0a1c2b3d4e5f";
  request.fingerprint = std::string("\x01\x02\xfe\xff", 4);
  request.actor = "user:1";
  request.correlation_id = "flow";
  request.events = {
      {"training.Enrolled", {"teacher:1", "session:1"}, absl::CivilDay(2026, 9, 1), "one"},
      {"registry.Noted", {}, absl::CivilDay(1949, 10, 1), ""},
      {"training.Enrolled", {"session:1"}, absl::CivilDay(2026, 9, 1), std::string("\0\x80", 2)}};
  return request;
}

std::vector<std::string> LeavesOf(const AppendRequest& request, absl::Time recorded_at) {
  const std::string bytes = rocks::EncodeRecord(request, kLast, recorded_at);
  auto record = rocks::Record::Parse(kLast, bytes);
  EXPECT_TRUE(record.ok()) << record.status();
  LeafEncoder encoder;
  encoder.StartCommit(record->stored_head());
  std::vector<std::string> leaves;
  for (Position p = record->first(); p <= kLast; p = p.Next()) {
    leaves.emplace_back(
        encoder.Leaf(static_cast<uint32_t>(p.value - record->first().value), *record->StoredEvent(p)));
  }
  return leaves;
}

std::vector<std::string> Golden() {
  std::ifstream file(std::string(QINGLAN_SOURCE_DIR) + "/tests/eventstore/transparency/golden/leaves.hex");
  EXPECT_TRUE(file.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

TEST(LeafTest, LeavesAreWrittenAsInTheGoldenFile) {
  std::vector<std::string> lines;
  Hasher hasher;
  for (const std::string& leaf : LeavesOf(GoldenRequest(), kRecordedAt)) {
    lines.push_back(absl::BytesToHexString(Absl(leaf)) + " " + Hex(hasher.Leaf(leaf)));
  }
  EXPECT_THAT(lines, testing::ElementsAreArray(Golden()));
}

TEST(LeafTest, TheGoldenLeavesSayAllThatWasStored) {
  const AppendRequest request = GoldenRequest();
  const std::vector<std::string> golden = Golden();
  ASSERT_EQ(golden.size(), request.events.size());
  for (uint32_t index = 0; index < golden.size(); ++index) {
    const std::string bytes = absl::HexStringToBytes(golden[index].substr(0, golden[index].find(' ')));
    const auto leaf = DecodeLeaf(bytes, Position(7));
    ASSERT_TRUE(leaf.ok()) << leaf.status();
    const NewEvent& written = request.events[index];
    EXPECT_EQ(leaf->event.position, Position(7));
    EXPECT_EQ(leaf->event.Id(), request.commit_id + "#" + std::to_string(index));
    EXPECT_EQ(leaf->fingerprint, request.fingerprint);
    EXPECT_EQ(leaf->events_in_commit, 3U);
    EXPECT_EQ(leaf->event.recorded_at, kRecordedAt);
    EXPECT_EQ(leaf->event.actor, request.actor);
    EXPECT_EQ(leaf->event.correlation_id, request.correlation_id);
    EXPECT_EQ(leaf->event.causation_id, request.causation_id);
    EXPECT_EQ(leaf->event.type, written.type);
    EXPECT_EQ(std::vector<std::string>(leaf->event.tags.begin(), leaf->event.tags.end()), written.tags);
    EXPECT_EQ(leaf->event.occurred_on, written.occurred_on);
    EXPECT_EQ(leaf->event.payload, written.payload);
  }
}

// Whatever differs between two stored commits differs in the leaf.
TEST(LeafTest, EveryStoredFieldIsInTheLeaf) {
  std::vector<AppendRequest> variants(9, GoldenRequest());
  variants[0].commit_id += "x";
  variants[1].fingerprint += "x";
  variants[2].actor += "x";
  variants[3].correlation_id += "x";
  variants[4].causation_id += "x";
  variants[5].events[0].type += "x";
  variants[6].events[0].tags.emplace_back("x");
  variants[7].events[0].occurred_on += 1;
  variants[8].events[0].payload += "x";
  AppendRequest fewer = GoldenRequest();
  fewer.events.pop_back();
  variants.push_back(fewer);
  std::set<std::string> leaves = {LeavesOf(GoldenRequest(), kRecordedAt)[0],
                                  LeavesOf(GoldenRequest(), kRecordedAt + absl::Microseconds(1))[0]};
  for (const AppendRequest& variant : variants) leaves.insert(LeavesOf(variant, kRecordedAt)[0]);
  EXPECT_EQ(leaves.size(), variants.size() + 2);
}

TEST(LeafTest, ALeafSaysNothingOfItsNeighbours) {
  AppendRequest other = GoldenRequest();
  other.events[1].payload = "something else";
  other.events[2].tags = {"teacher:2"};
  EXPECT_EQ(LeavesOf(other, kRecordedAt)[0], LeavesOf(GoldenRequest(), kRecordedAt)[0]);
}

TEST(LeafTest, BytesThatAreNoLeafAreRefused) {
  const std::string leaf = LeavesOf(GoldenRequest(), kRecordedAt)[1];  // its payload is empty
  EXPECT_TRUE(DecodeLeaf(leaf, Position(1)).ok());
  for (size_t bytes = 0; bytes < leaf.size(); ++bytes) {
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeLeaf(leaf.substr(0, bytes), Position(1)).status())) << bytes;
  }
  std::string other_version = leaf;
  other_version[0] = 2;
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeLeaf(other_version, Position(1)).status()));
  LeafEncoder encoder;
  encoder.StartCommit(std::string(8 + 5, '\0') + '\x03');
  EXPECT_TRUE(DecodeLeaf(encoder.Leaf(2, std::string(3, '\0')), Position(1)).ok());
  EXPECT_TRUE(
      absl::IsInvalidArgument(DecodeLeaf(encoder.Leaf(3, std::string(3, '\0')), Position(1)).status()));
}

}  // namespace
}  // namespace qinglan::eventstore::transparency
