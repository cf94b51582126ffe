// Writes the corpus that our own encoders make: fuzz_seeds CORPUS. The same files each time.
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/frames.h"
#include "eventstore/rocks/backup/manifest.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/tree/stored_nodes.h"
#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/key.h"
#include "eventstore/transparency/leaf.h"
#include "services/eventstore/wire/messages.h"
#include "services/privacy/receipt.h"
#include "services/qinglan/verify/consistency_file.h"
#include "services/qinglan/verify/export_file.h"
#include "tests/fuzz/seeds/workbook.h"

namespace qinglan::fuzz {
namespace {

using namespace eventstore;

const Position kLast(300);
const absl::Time kRecordedAt = absl::FromUnixMicros(1'764'000'000'000'000);
// Of the specification's examples; it keeps no secret.
constexpr char kKey[] = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void Add(std::string_view target, std::string_view name, std::string_view bytes) const {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream(folder_ / target / name, std::ios::binary) << bytes;
  }

 private:
  const std::filesystem::path folder_;
};

AppendRequest Request(int events) {
  AppendRequest request;
  request.commit_id = "01J0000000000000000000000";
  request.fingerprint = "fingerprint";
  request.actor = "user:1";
  request.correlation_id = "correlation";
  for (int i = 0; i < events; ++i) {
    request.events.push_back({i % 2 == 0 ? "training.AttendanceRecorded" : "mentoring.LogFiled",
                              {"teacher:01J1", "session:01J2"},
                              absl::CivilDay(2025, 9, 1) + i,
                              "payload " + std::to_string(i)});
  }
  return request;
}

const Query kQuery{
    {{{"training.AttendanceRecorded"}, {"teacher:01J1", "session:01J2"}}, {{}, {"school:01J3"}}}};

std::string At(Position position) {
  std::string bytes;
  rocks::AppendBig64(bytes, position.value);
  return bytes;
}

void Stored(const Corpus& corpus) {
  for (const int events : {1, 2, 20}) {
    const std::string record = rocks::EncodeRecord(Request(events), kLast, kRecordedAt);
    corpus.Add("record", "events-" + std::to_string(events), At(kLast) + '\1' + record);
    corpus.Add("record", "whole-" + std::to_string(events), At(kLast) + '\0' + record);
  }
  const auto posting = [](uint64_t back, uint32_t type) {
    return rocks::Posting{Position(kLast.value - back), static_cast<uint32_t>(back), type};
  };
  using rocks::EncodePlaces;
  using rocks::TermKind;
  corpus.Add("posting", "commit", '\0' + At(kLast));
  corpus.Add("posting", "tag", '\1' + At(kLast) + EncodePlaces(TermKind::kTag, {posting(0, 7)}));
  corpus.Add("posting", "tags",
             '\1' + At(kLast) + EncodePlaces(TermKind::kTag, {posting(200, 7), posting(3, 9)}));
  corpus.Add("posting", "type", '\2' + At(kLast) + EncodePlaces(TermKind::kType, {posting(0, 0)}));
  corpus.Add("posting", "types",
             '\2' + At(kLast) + EncodePlaces(TermKind::kType, {posting(200, 0), posting(0, 0)}));

  corpus.Add("key", "node", At(kLast) + rocks::NodeKey{2, 70'000}.Encode());
  transparency::LeafEncoder encoder;
  const std::string bytes = rocks::EncodeRecord(Request(3), kLast, kRecordedAt);
  auto parsed = rocks::Record::Parse(kLast, bytes);
  QL_CHECK(parsed.ok(), "a record that was just encoded parses");
  encoder.StartCommit(parsed->stored_head());
  corpus.Add("key", "leaf", At(kLast) + std::string(encoder.Leaf(2, *parsed->StoredEvent(kLast))));
}

void Sent(const Corpus& corpus) {
  AppendRequest conditional = Request(2);
  conditional.condition = AppendCondition{kQuery, Position(12)};
  std::string append;
  remote::EncodeAppend(conditional, append);
  corpus.Add("wire", "append", '\0' + append);
  std::string stream;
  remote::AddStreamAppend(append, stream);
  remote::AddStreamAppend(append, stream);
  corpus.Add("wire", "appends", '\1' + stream);
  std::string appended;
  remote::EncodeAppended({Position(3), Position(4), kRecordedAt, true}, appended);
  corpus.Add("wire", "appended", '\2' + appended);
  std::string outcomes;
  remote::AddStreamOutcome(Appended{Position(3), Position(4), kRecordedAt, false}, outcomes);
  remote::AddStreamOutcome(ConflictError(Position(9)), outcomes);
  corpus.Add("wire", "outcomes", '\2' + outcomes);
  std::string read;
  remote::EncodeRead(kQuery, {.after = Position(5), .up_to = Position(900), .limit = 20, .backwards = true},
                     read);
  corpus.Add("wire", "read", '\3' + read);
  std::string subscribe;
  remote::EncodeSubscribe(kQuery, Position(5), subscribe);
  corpus.Add("wire", "subscribe", '\3' + subscribe);
  const std::string record = rocks::EncodeRecord(Request(2), kLast, kRecordedAt);
  auto parsed = rocks::Record::Parse(kLast, record);
  QL_CHECK(parsed.ok(), "a record that was just encoded parses");
  std::string events;
  EventView event;
  for (Position p = parsed->first(); p <= kLast; p = p.Next()) {
    QL_CHECK(parsed->Event(p, event).ok(), "and so do its events");
    remote::AddEvent(event, events);
  }
  remote::AddReadEnd({kLast, true, kLast}, events);
  corpus.Add("wire", "events", '\4' + events);
  std::string questions;
  remote::AddPageQuestion(7, read, absl::Seconds(30), questions);
  corpus.Add("wire", "questions", '\5' + questions);
  std::string answers;
  remote::AddPageAnswer({7, events, absl::OkStatus()}, answers);
  remote::AddPageAnswer({8, {}, absl::UnavailableError("the disk failed")}, answers);
  corpus.Add("wire", "answers", '\5' + answers);
}

void Proved(const Corpus& corpus) {
  const auto key = transparency::SigningKey::Parse(kKey);
  QL_CHECK(key.ok(), "the key is one");
  transparency::TreeHead head;
  head.size = 1234;
  corpus.Add("note", "checkpoint-note", '\0' + transparency::SignCheckpoint(head, *key));
  corpus.Add("note", "key", '\2' + key->verifier().Text());
  corpus.Add("note", "secret", '\2' + key->Text());
  corpus.Add("note", "checkpoint", '\1' + transparency::CheckpointText({"log.example", head, {}}));
  corpus.Add("note", "checkpoint-extended",
             '\1' + transparency::CheckpointText({"log.example", head, {"extension 1"}}));
  corpus.Add("note", "base64", '\3' + transparency::Base64("some bytes"));

  std::string stream;
  rocks::FrameWriter writer([&](std::string_view out) {
    stream += out;
    return absl::OkStatus();
  });
  QL_CHECK(writer.Write(rocks::FrameKind::kHead, "a head").ok(), "a frame is written");
  QL_CHECK(writer.Write(rocks::FrameKind::kLog, std::string(300, 'l')).ok(), "a frame is written");
  QL_CHECK(writer.End("\1\2\3").ok(), "an end is written");
  corpus.Add("stream", "frames", '\0' + stream);
  BackupManifest manifest;
  manifest.generation = 3;
  manifest.store_id = std::string(32, 'a');
  manifest.store_format = "2";
  manifest.head = kLast;
  manifest.head_recorded_at = manifest.made_at = kRecordedAt;
  manifest.tool = "qinglan";
  manifest.merkle_root = std::string(64, 'b');
  manifest.files.push_back({"log/000012.sst", "table-0123456789abcdef", 4711, std::string(32, 'c')});
  corpus.Add("stream", "manifest", '\1' + RenderManifest(manifest));
}

// What `qinglan verify` is handed.
void Exported(const Corpus& corpus) {
  const auto key = transparency::SigningKey::Parse(kKey);
  QL_CHECK(key.ok(), "the key is one");
  ExportFile exported;
  exported.portfolio_json =
      R"({"header":{"teacher_id":"01J1"},"as_of":"2025-11-24","position":"1","entries":[{"event_id":"01J0000000000000000000000#0"}]})";
  const std::string record = rocks::EncodeRecord(Request(1), Position(1), kRecordedAt);
  auto commit = rocks::Record::Parse(Position(1), record);
  QL_CHECK(commit.ok(), "a record that was just encoded parses");
  transparency::LeafEncoder encoder;
  encoder.StartCommit(commit->stored_head());
  const std::string leaf(encoder.Leaf(0, *commit->StoredEvent(Position(1))));
  const transparency::Hash root = transparency::Hasher().Leaf(leaf);
  exported.checkpoint = transparency::SignCheckpoint({1, root}, *key);
  exported.statement = key->Sign("a statement\n");
  exported.events.push_back({"01J0000000000000000000000#0", Position(1), leaf, root, {}});
  corpus.Add("verify", "export", '\0' + Encode(exported));
  corpus.Add("verify", "export-signed", '\1' + Encode(exported));
  exported.events.push_back({"01J0000000000000000000000#1", Position(2), "", root, {root, root}});
  corpus.Add("verify", "export-withheld", '\1' + Encode(exported));
  corpus.Add("verify", "proof", '\2' + EncodeConsistency({root, root}));
  const privacy::Receipt receipt{
      "teacher:01J1",       "01J2", 17, "2026-11-25T10:00:00.000000Z", "2026-11-25T10:00:01.000000Z", 2,
      std::string(64, 'a'), "01J3"};
  std::string lines = privacy::ReceiptText(receipt);
  lines.pop_back();
  corpus.Add("verify", "receipt", '\3' + lines);
  // Sealed texts are never twice the same; what an envelope of zeros says is enough to begin with.
  corpus.Add("verify", "sealed", "\4\x1as1 teacher:01J1 AQ" + std::string(70, 'A'));
  corpus.Add("verify", "sealed-for-an-event", "\4\x1as2 teacher:01J1 AQ" + std::string(90, 'A'));
}

void Kept(const Corpus& corpus) {
  const std::string file = std::string("QLKEYS1\n");
  corpus.Add("keyfile", "empty", '\0' + file);
  for (const int fields : {3, 9}) {
    std::string made = std::string("\1\0\20\1\0\2", 6);  // byte 16 is wrong by a bit, the last two are lost
    for (int i = 0; i < fields; ++i)
      made += std::string("\0\0\0\0\0\1\0\0\0\1", 10) + static_cast<char>(i) + "\10teacher:\4file\3key";
    corpus.Add("keyfile", "damaged-" + std::to_string(fields), made);
  }
}

void Imported(const Corpus& corpus) {
  corpus.Add(
      "csv", "sign-in",
      "工号,姓名,日期,出席\n2009031001,马 明,2025/10/11,√\n2009031002,阿依古丽·买买提,2025年9月18日,请假\n");
  corpus.Add("csv", "quotes",
             "\xEF\xBB\xBFid;name;hours\r\n1;\"a \"\"b\"\"\r\nc\";1.5\r\n\r\n2;\"x;y\";４\r\n");
  corpus.Add("csv", "gb18030", "\xB9\xA4\xBA\xC5,\xD0\xD5\xC3\xFB\n1,\xC2\xED\xC3\xF7\n");
  corpus.Add("csv", "utf-16",
             std::string_view("\xFF\xFE"
                              "a\0,\0b\0\n\0"
                              "1\0,\0"
                              "2\0\n\0",
                              18));
  corpus.Add("csv", "marks", "是,否,县级,2025-05,4.40981E+17,×,迟到,省级,44098119800101001X\n");
  const std::string sheet =
      R"(<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>)"
      R"(<row r="3"><c r="A3"><v>45678.5</v></c><c r="C3" t="b"><v>1</v></c><c r="D3" t="e"><v>#N/A</v></c></row></sheetData>)"
      R"(<mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>)";
  corpus.Add("xlsx", "sheet", '\1' + sheet);
  corpus.Add("xlsx", "workbook", Workbook(sheet));
}

// What decides a game is only random: short ones and long ones.
void Played(const Corpus& corpus) {
  std::mt19937 random(20261125);
  for (const int bytes : {40, 120, 200, 300}) {
    std::string dice(static_cast<size_t>(bytes), '\0');
    for (char& byte : dice) byte = static_cast<char>(random());
    corpus.Add("operations", "game-" + std::to_string(bytes), dice);
  }
}

}  // namespace
}  // namespace qinglan::fuzz

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const qinglan::fuzz::Corpus corpus(argv[1]);
  qinglan::fuzz::Stored(corpus);
  qinglan::fuzz::Sent(corpus);
  qinglan::fuzz::Proved(corpus);
  qinglan::fuzz::Exported(corpus);
  qinglan::fuzz::Kept(corpus);
  qinglan::fuzz::Imported(corpus);
  qinglan::fuzz::Played(corpus);
  return 0;
}
