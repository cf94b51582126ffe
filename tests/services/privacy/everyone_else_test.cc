// The property that erasure stands on: whoever is erased, no byte of anybody else changes, and whatever was
// proved of the log before is still proved.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "eventstore/privacy/sealed_text.h"
#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/proof.h"
#include "services/privacy/holds.h"
#include "services/runtime/access/access.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/personal_fields.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/fault/load/evidence.h"
#include "tests/harness/anyone.h"
#include "tests/harness/request_maker.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

using eventstore::Position;
using eventstore::transparency::Hash;
using eventstore::transparency::Proof;
using eventstore::transparency::TreeHead;

constexpr int64_t kSchoolsInCi = 1;  // each lives and erases by a seed of its own
constexpr int kRounds = 12;          // of one request to every command each
constexpr size_t kErasures = 3;      // that succeed; teachers under a hold are tried, too
constexpr int kProofsKept = 40;      // of each kind, at random places

// One personal text of the log as its reader has it; nothing when its person was erased.
struct Read {
  std::string subject;
  std::optional<std::string> clear;
  bool operator==(const Read&) const = default;
};

struct Inclusion {
  Position position;
  TreeHead in;
  Hash leaf;
  Proof proof;
};
struct Extension {
  TreeHead from;
  TreeHead to;
  Proof proof;
};

class EveryoneElse : public SchoolTest, public ::testing::WithParamInterface<int64_t> {
 public:
  // A history in which everybody is held proves nothing of erasures. One may always be drawn; more than a
  // quarter, where many run in one process (deploy/evidence.sh), would be little of a test.
  static void TearDownTestSuite() {
    EXPECT_LE(held_, std::max(1, lived_ / 4)) << "of " << lived_ << " histories everybody is held in so many";
  }

 protected:
  // A history of all that can be recorded, with some people in it.
  void Live(unsigned seed) {
    RequestMaker maker(seed);
    for (int i = 0; i < 5; ++i) Register("人" + std::to_string(i), std::to_string(1000 + i));
    Position learnt;
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& method : stage_.table().methods()) {
        if (!method->is_command || method->descriptor->name().starts_with("Erase")) continue;
        for (const auto& event : stage_.StoredEvents(learnt)) {
          learnt = event.position;
          maker.Learn(event);
        }
        const auto request = NewMessage(method->descriptor->input_type());
        const auto answer = NewMessage(method->descriptor->output_type());
        maker.Fill(*request, {.only_required = round % 2 == 0});
        const auto exists =
            access_.Authorize({"tester", "", {}}, *method->descriptor, *request, absl::CivilDay(2026, 3, 2));
        if (!exists.ok() && !absl::IsPermissionDenied(exists)) continue;
        (void)stage_.Run(*request, *answer);  // some of it is refused
        if (maker.Below(10) == 0) KeepProofs();
      }
    }
  }

  // Proofs as somebody outside may have kept them.
  void KeepProofs() {
    const Position head = *log().Head();
    const TreeHead tree = *log().CurrentTree();
    checkpoints_.push_back(SignCheckpoint(tree, ReceiptKey()));
    if (inclusions_.size() < kProofsKept) {
      const Position at(1 + random_() % head.value);
      inclusions_.push_back({at, tree, eventstore::transparency::Hasher().Leaf(*log().LeafAt(at)),
                             *log().ProveEvent(at, head)});
    }
    if (extensions_.size() < kProofsKept) {
      const Position from(1 + random_() % head.value);
      extensions_.push_back({*log().TreeAt(from), tree, *log().ProveExtension(from, head)});
    }
  }

  void ExpectAllProved() {
    const Position head = *log().Head();
    const TreeHead tree = *log().CurrentTree();
    eventstore::transparency::Hasher hasher;
    for (const Inclusion& kept : inclusions_) {
      const Hash leaf = hasher.Leaf(*log().LeafAt(kept.position));
      EXPECT_EQ(leaf, kept.leaf);
      EXPECT_TRUE(VerifyInclusion(leaf, kept.position.value - 1, kept.in, kept.proof).ok());
      const Proof now = *log().ProveEvent(kept.position, head);
      EXPECT_TRUE(VerifyInclusion(kept.leaf, kept.position.value - 1, tree, now).ok());
    }
    for (const Extension& kept : extensions_) {
      EXPECT_EQ(*log().TreeAt(Position(kept.from.size)), kept.from);
      EXPECT_EQ(*log().TreeAt(Position(kept.to.size)), kept.to);
      EXPECT_TRUE(VerifyConsistency(kept.from, kept.to, kept.proof).ok());
    }
    for (const std::string& note : checkpoints_) {
      const auto checkpoint = OpenCheckpoint(note, ReceiptKey().verifier());
      ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
      const Proof since = *log().ProveExtension(Position(checkpoint->head.size), head);
      EXPECT_TRUE(VerifyConsistency(checkpoint->head, tree, since).ok());
    }
  }

  // Every personal text of the log, by its event and place.
  std::map<std::string, Read> Texts() {
    std::map<std::string, Read> texts;
    for (const auto& event : stage_.StoredEvents()) {
      const auto* type =
          google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(event.type);
      const auto payload = NewMessage(type);
      EXPECT_TRUE(payload->ParseFromString(event.payload));
      int number = 0;
      const auto read = [&](const runtime::PersonalText& text) -> absl::StatusOr<std::string> {
        texts[fmt::format("{}/{}/{}", event.position.value, text.path, ++number)] = ReadOne(text);
        return text.text;
      };
      EXPECT_TRUE(runtime::RewritePersonal(*payload, read).ok());
    }
    return texts;
  }

  Read ReadOne(const runtime::PersonalText& text) {
    const auto sealed = eventstore::privacy::TakeApart(text.text);
    EXPECT_TRUE(sealed.ok()) << text.path << " is not sealed: " << text.text;
    if (!sealed.ok()) return {};
    const auto key = keys().KeyToOpen(sealed->subject, sealed->key_version);
    if (eventstore::privacy::IsErased(key.status())) return {sealed->subject, std::nullopt};
    EXPECT_TRUE(key.ok()) << key.status();
    const auto clear = eventstore::privacy::Open(*key, *sealed);
    EXPECT_TRUE(clear.ok()) << clear.status();
    return {sealed->subject, *clear};
  }

  static int lived_;
  static int held_;  // of them, those in which everybody is under a hold

  runtime::Access access_{stage_.store(), Everywhere()};
  std::mt19937 random_;
  std::vector<std::string> checkpoints_;
  std::vector<Inclusion> inclusions_;
  std::vector<Extension> extensions_;
};

int EveryoneElse::lived_ = 0;
int EveryoneElse::held_ = 0;

TEST_P(EveryoneElse, KeepsEveryByteEveryTextAndEveryProofWhenSomebodyIsErased) {
  fault::Evidence evidence("everyone_else");
  const uint32_t seed = fault::Seed() + static_cast<uint32_t>(GetParam());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  random_.seed(seed);
  Live(seed);
  std::set<std::string> subjects;
  for (const auto& [place, text] : Texts()) {
    if (text.subject.starts_with("teacher:")) subjects.insert(text.subject);
  }
  ASSERT_GE(subjects.size(), 5U);
  std::vector<std::string> teachers(subjects.begin(), subjects.end());
  std::ranges::shuffle(teachers, random_);
  size_t erased = 0;
  size_t kept = 0;
  size_t gone = 0;
  for (const std::string& subject : teachers) {
    if (erased == kErasures) break;
    const auto leaves = Leaves();
    const auto texts = Texts();
    const auto answer = Erase(subject.substr(subject.find(':') + 1));
    if (answer.ok()) ++erased;
    if (!answer.ok()) {
      EXPECT_THAT(runtime::ReasonOf(answer.status()), ::testing::AnyOf("LEGAL_HOLD", "ALREADY_DONE"));
    }
    const auto leaves_now = Leaves();
    ASSERT_GE(leaves_now.size(), leaves.size());
    EXPECT_TRUE(std::equal(leaves.begin(), leaves.end(), leaves_now.begin())) << subject;
    const auto texts_now = Texts();
    ASSERT_EQ(texts_now.size(), texts.size());
    for (const auto& [place, text] : texts) {
      const Read& now = texts_now.at(place);
      if (!answer.ok() || text.subject != subject) {
        EXPECT_EQ(now.clear, text.clear) << place << " of " << text.subject << " when " << subject << " went";
        ++kept;
      } else {
        EXPECT_FALSE(now.clear.has_value()) << place;
        ++gone;
      }
    }
    ExpectAllProved();
    KeepProofs();
  }
  evidence.Set("seed", seed);
  ++lived_;
  if (erased == 0) {
    ++held_;
    evidence.Set("skipped_as_all_are_held", 1);
    GTEST_SKIP() << "in this history everybody is held";
  }
  EXPECT_GE(gone, erased);
  EXPECT_GT(inclusions_.size(), 10U);
  evidence.Set("events", Leaves().size());
  evidence.Set("erased", erased);
  evidence.Set("texts_gone", gone);
  evidence.Set("texts_of_others_compared", kept);
  evidence.Set("proofs_kept", inclusions_.size() + extensions_.size() + checkpoints_.size());
}

INSTANTIATE_TEST_SUITE_P(Schools, EveryoneElse,
                         ::testing::Range(int64_t{0}, fault::Amount("QINGLAN_FAULT_SCHOOLS", kSchoolsInCi)));

}  // namespace
}  // namespace qinglan::tests
