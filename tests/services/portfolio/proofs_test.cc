// What the log proves about a teacher, and an exported portfolio that proves itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/leaf.h"
#include "eventstore/transparency/proof.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "services/eventstore/proofs/service.h"
#include "services/eventstore/proofs/statement.h"
#include "services/qinglan/verify/export_file.h"
#include "tests/services/portfolio/fixture.h"

namespace qinglan::portfolio {
namespace {

using eventstore::transparency::Hash;
using eventstore::transparency::Proof;
using eventstore::transparency::SigningKey;
using eventstore::transparency::TreeHead;
using eventstore::v1::AttestPortfolioRequest;
using eventstore::v1::AttestPortfolioResponse;
using eventstore::v1::GetCheckpointRequest;
using eventstore::v1::GetCheckpointResponse;
using eventstore::v1::ListCheckpointsRequest;
using eventstore::v1::ListCheckpointsResponse;
using eventstore::v1::ProveConsistencyRequest;
using eventstore::v1::ProveConsistencyResponse;
using eventstore::v1::ProveInclusionRequest;
using eventstore::v1::ProveInclusionResponse;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ProofsTest : public PortfolioTest {
 protected:
  void SetUp() override {
    PortfolioTest::SetUp();
    auto notary = proofs::Notary::Open(*log_, key_,
                                       {.file = folder_ / "checkpoints",
                                        .every = absl::ZeroDuration(),
                                        .fresh_for = absl::ZeroDuration(),
                                        .clock = [this] { return absl::FromUnixMicros(now_); }});
    ASSERT_TRUE(notary.ok()) << notary.status();
    notary_ = *std::move(notary);
    proofs::Register(*table_, *log_, notary_.get());
  }
  void TearDown() override {
    table_.reset();
    notary_.reset();
    PortfolioTest::TearDown();
  }

  static TreeHead Open(const std::string& note, const SigningKey& key) {
    const auto checkpoint = OpenCheckpoint(note, key.verifier());
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    return checkpoint.ok() ? checkpoint->head : TreeHead{};
  }
  template <class Hashes>
  static Proof ProofOf(const Hashes& hashes) {
    Proof proof;
    for (const std::string& hash : hashes) EXPECT_TRUE(HashFrom(hash, proof.emplace_back()));
    return proof;
  }
  absl::StatusOr<ProveInclusionResponse> Prove(const std::string& teacher,
                                               const std::vector<std::string>& ids, const std::string& caller,
                                               uint64_t tree_size = 0) {
    ProveInclusionRequest request;
    request.set_teacher_id(teacher);
    for (const std::string& id : ids) request.add_event_ids(id);
    request.set_tree_size(tree_size);
    return Ask<ProveInclusionResponse>(request, caller);
  }
  // The file that `qinglan portfolio --export` writes.
  ExportFile Export(const std::string& teacher, const std::string& caller) {
    AttestPortfolioRequest request;
    request.set_teacher_id(teacher);
    const auto attested = Ask<AttestPortfolioResponse>(request, caller);
    EXPECT_TRUE(attested.ok()) << attested.status();
    ExportFile file{attested->portfolio_json(), attested->statement(), attested->checkpoint(), {}};
    const TreeHead tree = Open(attested->checkpoint(), key_);
    for (const auto& named : attested->evidence()) {
      const auto proved = Prove(teacher, {named.event_id()}, caller, tree.size);
      EXPECT_TRUE(proved.ok()) << proved.status();
      ExportedEvent event;
      event.event_id = proved->proofs(0).event_id();
      event.position = Position(proved->proofs(0).position());
      event.leaf = proved->proofs(0).leaf();
      EXPECT_TRUE(HashFrom(proved->proofs(0).leaf_hash(), event.leaf_hash));
      event.proof = ProofOf(proved->proofs(0).hashes());
      file.events.push_back(std::move(event));
    }
    return file;
  }

  const SigningKey key_ = *SigningKey::Generate("test.example/log");
  std::unique_ptr<proofs::Notary> notary_;
};

TEST_F(ProofsTest, CheckpointsAreSignedListedAndProvedToFollowEachOther) {
  History history(*log_, 1);
  history.Begin();
  std::vector<TreeHead> heads;
  for (int i = 0; i < 5; ++i) {
    history.Step();
    const auto made = Ask<GetCheckpointResponse>(GetCheckpointRequest());
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->public_key(), key_.verifier().Text());
    heads.push_back(Open(made->checkpoint().note(), key_));
    EXPECT_EQ(heads.back().size, made->checkpoint().size());
    EXPECT_EQ(heads.back().size, log_->Head()->value);
    ProveConsistencyRequest request;
    request.set_from_size(heads.front().size);
    request.set_to_size(heads.back().size);
    const auto proof = Ask<ProveConsistencyResponse>(request);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(VerifyConsistency(heads.front(), heads.back(), ProofOf(proof->hashes())).ok());
  }
  std::vector<uint64_t> listed;
  ListCheckpointsRequest request;
  request.set_page_size(2);
  do {
    const auto page = Ask<ListCheckpointsResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->checkpoints_size(), 2);
    for (const auto& checkpoint : page->checkpoints()) listed.push_back(Open(checkpoint.note(), key_).size);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  ASSERT_THAT(listed, SizeIs(heads.size()));
  for (size_t i = 0; i < heads.size(); ++i) EXPECT_EQ(listed[i], heads[i].size);
  request.set_page_token("x");
  EXPECT_EQ(runtime::ReasonOf(Ask<ListCheckpointsResponse>(request).status()), "PAGE_TOKEN");
}

TEST_F(ProofsTest, WhatTheLogDoesNotHoldIsRefusedByName) {
  ProveConsistencyRequest request;
  request.set_from_size(2);
  request.set_to_size(1);
  EXPECT_EQ(runtime::ReasonOf(Ask<ProveConsistencyResponse>(request).status()), "SIZES_REVERSED");
  request.set_to_size(1'000'000);
  EXPECT_EQ(runtime::ReasonOf(Ask<ProveConsistencyResponse>(request).status()), "SIZE_NOT_REACHED");
}

lessonstudy::v1::ObservationRecorded Observation(const std::string& teacher) {
  lessonstudy::v1::ObservationRecorded recorded;
  recorded.set_observation_id(TestId("OBSERVATION", 1));
  recorded.set_observed_id(teacher);
  recorded.set_observer_id(TestId("OTHER", 1));
  recorded.mutable_facts()->set_date("2026-03-01");
  recorded.mutable_facts()->set_review("很好");
  recorded.mutable_facts()->set_has_review(true);
  recorded.set_formative(true);
  return recorded;
}

TEST_F(ProofsTest, AnEventIsProvedWithItsBytesToItsTeacherAndWithoutThemToOthersWhenItIsFormative) {
  History history(*log_, 2);
  history.Begin();
  const std::string teacher = history.teachers()[0];
  const Position at = Append(Observation(teacher), "2026-03-01",
                             {"teacher:" + teacher, "observation:" + TestId("OBSERVATION", 1)});
  const std::string id = "commit-1#0";
  const TreeHead tree = *log_->CurrentTree();
  const auto own = Prove(teacher, {id}, teacher);
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_EQ(own->proofs_size(), 1);
  EXPECT_EQ(own->tree_size(), tree.size);
  EXPECT_EQ(own->proofs(0).position(), at.value);
  EXPECT_EQ(own->proofs(0).leaf(), *log_->LeafAt(at));
  Hash leaf;
  ASSERT_TRUE(HashFrom(own->proofs(0).leaf_hash(), leaf));
  EXPECT_EQ(leaf, eventstore::transparency::Hasher().Leaf(own->proofs(0).leaf()));
  EXPECT_TRUE(VerifyInclusion(leaf, at.value - 1, tree, ProofOf(own->proofs(0).hashes())).ok());
  EXPECT_EQ(ViewsOf(teacher), 0U);

  const auto others = Prove(teacher, {id}, "", tree.size);
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_TRUE(others->proofs(0).leaf().empty());
  EXPECT_EQ(others->proofs(0).leaf_hash(), own->proofs(0).leaf_hash());
  EXPECT_EQ(ViewsOf(teacher), 1U);

  EXPECT_EQ(runtime::ReasonOf(Prove(history.teachers()[1], {id}, history.teachers()[1]).status()),
            "UNKNOWN_EVENT");
  EXPECT_EQ(runtime::ReasonOf(Prove(teacher, {"nothing#0"}, teacher).status()), "UNKNOWN_EVENT");
  EXPECT_EQ(runtime::ReasonOf(Prove(teacher, {id}, teacher, at.value - 1).status()), "SIZE_NOT_REACHED");
  EXPECT_EQ(runtime::ReasonOf(Prove(teacher, {id}, teacher, 1'000'000).status()), "SIZE_NOT_REACHED");
}

TEST_F(ProofsTest, EveryTeachersExportProvesItselfWhateverHappenedToThem) {
  History history(*log_, 3);
  history.Begin();
  for (int step = 0; step < 400; ++step) history.Step();
  for (const std::string& teacher : history.teachers()) {
    for (const std::string& caller : {teacher, std::string()}) {
      const auto file = DecodeExport(Encode(Export(teacher, caller)));
      ASSERT_TRUE(file.ok()) << file.status();
      const auto verified = Verify(*file, key_.verifier());
      ASSERT_TRUE(verified.ok()) << verified.status();
      EXPECT_EQ(verified->teacher_id, teacher);
      EXPECT_EQ(verified->events, file->events.size());
      EXPECT_GT(verified->events, 10U);
      if (caller == teacher) {
        const auto other_key = SigningKey::Generate("test.example/log");
        EXPECT_FALSE(Verify(*file, other_key->verifier()).ok());
      }
    }
  }
}

// Every byte, over five runs of the test.
TEST_F(ProofsTest, AnExportWithAnyByteChangedIsRefused) {
  History history(*log_, 4);
  history.Begin();
  const std::string teacher = history.teachers()[0];
  Append(Observation(teacher), "2026-03-01",
         {"teacher:" + teacher, "observation:" + TestId("OBSERVATION", 1)});
  const std::string whole = Encode(Export(teacher, teacher));
  const auto accepts = [&](const std::string& text) {
    const auto file = DecodeExport(text);
    return file.ok() && Verify(*file, key_.verifier()).ok();
  };
  ASSERT_TRUE(accepts(whole));
  const size_t first = std::random_device()() % 5;
  SCOPED_TRACE(fmt::format("from byte {} on", first));
  for (size_t i = first; i < whole.size(); i += 5) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 7));
    EXPECT_FALSE(accepts(changed)) << "byte " << i << ": " << whole.substr(i < 20 ? 0 : i - 20, 40);
  }
  EXPECT_FALSE(accepts(whole + "\n"));
  EXPECT_FALSE(accepts(whole.substr(0, whole.size() - 1)));
}

TEST_F(ProofsTest, AnExportThatWasPutTogetherOtherwiseIsRefusedForTheRightReason) {
  History history(*log_, 5);
  history.Begin();
  for (int step = 0; step < 100; ++step) history.Step();
  const std::string teacher = history.teachers()[0];
  const ExportFile file = Export(teacher, teacher);
  const auto refusal = [&](const ExportFile& changed) {
    return std::string(Verify(changed, key_.verifier()).status().message());
  };
  ASSERT_EQ(refusal(file), "");
  ASSERT_GT(file.events.size(), 2U);
  ExportFile fewer = file;
  fewer.events.pop_back();
  EXPECT_THAT(refusal(fewer), HasSubstr("was not signed"));
  ExportFile twice = file;
  twice.events.push_back(file.events[0]);
  EXPECT_THAT(refusal(twice), HasSubstr("twice"));
  ExportFile exchanged = file;
  std::swap(exchanged.events[0].leaf, exchanged.events[1].leaf);
  std::swap(exchanged.events[0].leaf_hash, exchanged.events[1].leaf_hash);
  EXPECT_THAT(refusal(exchanged), HasSubstr("does not prove event"));
  ExportFile renamed = file;
  std::swap(renamed.events[0].event_id, renamed.events[1].event_id);
  EXPECT_THAT(refusal(renamed), HasSubstr("was not signed"));
  ExportFile of_another = file;
  of_another.checkpoint =
      key_.Sign(eventstore::transparency::CheckpointText({"test.example/other", {7, Hash{}}, {}}));
  EXPECT_THAT(refusal(of_another), HasSubstr("of the log test.example/other"));
  ExportFile later = file;
  Append(Observation(teacher), "2026-03-01", {"teacher:" + teacher});
  later.checkpoint = notary_->Checkpoint(Position(0))->note;
  EXPECT_THAT(refusal(later), HasSubstr("was not signed"));
}

TEST_F(PortfolioTest, WithoutAKeyNothingIsSignedAndProofsAreGiven) {
  proofs::Register(*table_, *log_, nullptr);
  History history(*log_, 6);
  history.Begin();
  EXPECT_EQ(runtime::ReasonOf(Ask<GetCheckpointResponse>(GetCheckpointRequest()).status()), "NO_LOG_KEY");
  EXPECT_EQ(runtime::ReasonOf(Ask<ListCheckpointsResponse>(ListCheckpointsRequest()).status()), "NO_LOG_KEY");
  AttestPortfolioRequest attest;
  attest.set_teacher_id(history.teachers()[0]);
  EXPECT_EQ(runtime::ReasonOf(Ask<AttestPortfolioResponse>(attest).status()), "NO_LOG_KEY");
  ProveConsistencyRequest request;
  request.set_from_size(1);
  request.set_to_size(log_->Head()->value);
  EXPECT_TRUE(Ask<ProveConsistencyResponse>(request).ok());
}

TEST(StatementTest, EventsAreFoundWhereverAPortfolioNamesThem) {
  const auto ids = proofs::EventIdsIn(
      R"({"assessment":{"totals":[{"event_ids":["a#0","b#1"]}],"tier_decision_event_id":"c#0"},)"
      R"("timeline":[{"evidence":{"event_id":"d#0","withdrawn_by":"e#0","amendments":[{"event_id":"f#0"}]}}],)"
      R"("bars":[{"event_id":"","lifted_by":"g#0"}],"obligations":[{"closed_by":"h#0","title":"i#0"}]})");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, ::testing::ElementsAre("a#0", "b#1", "c#0", "d#0", "e#0", "f#0", "g#0", "h#0"));
  EXPECT_TRUE(absl::IsInvalidArgument(proofs::EventIdsIn("[]").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(proofs::EventIdsIn("{").status()));
}

TEST(StatementTest, ItCannotBeTakenForACheckpoint) {
  const std::string text = StatementText(proofs::MakeStatement("123", 12345678901234567890U, "{}", {}));
  EXPECT_TRUE(absl::IsInvalidArgument(eventstore::transparency::ParseCheckpointText(text).status()));
}

}  // namespace
}  // namespace qinglan::portfolio
