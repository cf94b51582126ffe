// What was signed once is kept, and nothing is signed that contradicts it.
#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventstore/transparency/checkpoint.h"
#include "services/eventstore/proofs/checkpoint_log.h"
#include "services/eventstore/proofs/notary.h"
#include "tests/harness/stage.h"

namespace qinglan::proofs {
namespace {

using eventstore::Position;
using eventstore::transparency::Hash;
using eventstore::transparency::Proof;
using eventstore::transparency::SigningKey;
using eventstore::transparency::TreeHead;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A log of leaves that a test writes, and rewrites.
class Leaves final : public eventstore::ProvableLog, public eventstore::transparency::NodeSource {
 public:
  explicit Leaves(std::vector<std::string> leaves) : leaves_(std::move(leaves)) {}
  std::vector<std::string>& leaves() { return leaves_; }  // fewer than a tile

  absl::StatusOr<TreeHead> CurrentTree() const override { return TreeAt(Position(leaves_.size())); }
  absl::StatusOr<TreeHead> TreeAt(Position head) const override {
    return TreeHead{head.value, *RootOf(*this, head.value)};
  }
  absl::StatusOr<std::string> LeafAt(Position position) const override { return leaves_[position.value - 1]; }
  absl::StatusOr<Proof> ProveEvent(Position position, Position in) const override {
    return ProveInclusion(*this, {position.value - 1, in.value});
  }
  absl::StatusOr<Proof> ProveExtension(Position from, Position to) const override {
    return ProveConsistency(*this, {from.value, to.value});
  }
  absl::Status Read(int, uint64_t first, absl::Span<Hash> hashes) const override {
    eventstore::transparency::Hasher hasher;
    for (Hash& hash : hashes) hash = hasher.Leaf(leaves_.at(first++));
    return absl::OkStatus();
  }

 private:
  std::vector<std::string> leaves_;
};

// One that does not answer until it is let, and then as it is told.
class SlowLeaves final : public eventstore::ProvableLog {
 public:
  explicit SlowLeaves(const Leaves& leaves) : leaves_(leaves) {}
  ~SlowLeaves() override { Answer(absl::OkStatus()); }

  void Stall() {
    const absl::MutexLock lock(&mutex_);
    stalled_ = true;
    asked_ = 0;
  }
  void Answer(absl::Status status) {
    const absl::MutexLock lock(&mutex_);
    stalled_ = false;
    answer_ = std::move(status);
  }
  int asked() const {
    const absl::MutexLock lock(&mutex_);
    return asked_;
  }
  void AwaitAsked() const {
    const absl::MutexLock lock(&mutex_);
    const auto asked = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return asked_ > 0; };
    mutex_.Await(absl::Condition(&asked));
  }

  absl::StatusOr<TreeHead> CurrentTree() const override {
    auto tree = leaves_.CurrentTree();
    const absl::MutexLock lock(&mutex_);
    ++asked_;
    const auto answers = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !stalled_; };
    mutex_.AwaitWithTimeout(absl::Condition(&answers), kStallMax);
    if (!answer_.ok()) return answer_;
    return tree;
  }
  absl::StatusOr<TreeHead> TreeAt(Position head) const override { return leaves_.TreeAt(head); }
  absl::StatusOr<std::string> LeafAt(Position position) const override { return leaves_.LeafAt(position); }
  absl::StatusOr<Proof> ProveEvent(Position position, Position in) const override {
    return leaves_.ProveEvent(position, in);
  }
  absl::StatusOr<Proof> ProveExtension(Position from, Position to) const override {
    return leaves_.ProveExtension(from, to);
  }

  static constexpr absl::Duration kStallMax = absl::Seconds(5);

 private:
  const Leaves& leaves_;
  mutable absl::Mutex mutex_;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  mutable int asked_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status answer_ ABSL_GUARDED_BY(mutex_);
};

class NotaryTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Notary>> Open(absl::Duration every = absl::ZeroDuration()) {
    return OpenOver(log_, every);
  }
  absl::StatusOr<std::unique_ptr<Notary>> OpenOver(const eventstore::ProvableLog& log,
                                                   absl::Duration every = absl::ZeroDuration()) {
    return Notary::Open(log, key_,
                        {.file = file(), .every = every, .fresh_for = absl::Seconds(1), .clock = [this] {
                           return absl::FromUnixMicros(now_);
                         }});
  }
  std::string file() const { return folder_.path() + "/checkpoints"; }
  std::string Content() const {
    std::stringstream content;
    content << std::ifstream(file(), std::ios::binary).rdbuf();
    return content.str();
  }
  void Write(const std::string& content) const { std::ofstream(file(), std::ios::binary) << content; }

  tests::TemporaryFolder folder_;
  Leaves log_{{"one", "two", "three"}};
  SigningKey key_ = *SigningKey::Generate("test.example/log");
  std::atomic<int64_t> now_ = 1'000'000'000;
};

TEST_F(NotaryTest, ACheckpointIsSignedWhenTheLogHasMovedAndKeptForEver) {
  std::string first;
  {
    const auto notary = *Open();
    first = notary->Checkpoint(Position(0))->note;
    EXPECT_EQ(OpenCheckpoint(first, key_.verifier())->head, *log_.CurrentTree());
    now_ += 2'000'000;
    EXPECT_EQ(notary->Checkpoint(Position(0))->note, first) << "the log has not moved";
    log_.leaves().push_back("four");
    EXPECT_EQ(notary->Checkpoint(Position(0))->size, 4U);
  }
  const auto again = *Open();
  const auto kept = again->Checkpoints(0, 10);
  ASSERT_TRUE(kept.ok()) << kept.status();
  ASSERT_THAT(*kept, SizeIs(2));
  EXPECT_EQ((*kept)[0].note, first);
  EXPECT_EQ((*kept)[0].signed_at, absl::FromUnixMicros(1'000'000'000));
  EXPECT_THAT(*again->Checkpoints(3, 10), SizeIs(1));
  EXPECT_THAT(*again->Checkpoints(0, 1), SizeIs(1));
}

TEST_F(NotaryTest, AYoungOneAnswersWhoeverAsksForNoMore) {
  const auto notary = *Open();
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, 3U);
  log_.leaves().push_back("four");
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, 3U);
  EXPECT_EQ(notary->Checkpoint(Position(2))->size, 3U);
  EXPECT_EQ(notary->Checkpoint(Position(4))->size, 4U);
  EXPECT_TRUE(absl::IsOutOfRange(notary->Checkpoint(Position(5)).status()));
  log_.leaves().push_back("five");
  now_ += 1'000'000;
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, 5U);
}

TEST_F(NotaryTest, ARewrittenLogIsNeverSigned) {
  {
    const auto notary = *Open();
    ASSERT_TRUE(notary->Checkpoint(Position(0)).ok());
    log_.leaves()[1] = "another";
    log_.leaves().push_back("four");
    now_ += 2'000'000;
    const absl::Status refused = notary->Checkpoint(Position(0)).status();
    EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr("the log at 4 does not continue its checkpoint at 3"));
  }
  const auto again = *Open();
  EXPECT_TRUE(absl::IsDataLoss(again->Checkpoint(Position(4)).status()));
  EXPECT_THAT(*again->Checkpoints(0, 10), SizeIs(1));
}

TEST_F(NotaryTest, ARewrittenLogOfTheSameLengthIsNeverSigned) {
  const auto notary = *Open();
  ASSERT_TRUE(notary->Checkpoint(Position(0)).ok());
  log_.leaves()[2] = "another";
  now_ += 2'000'000;
  EXPECT_TRUE(absl::IsDataLoss(notary->Checkpoint(Position(0)).status()));
}

TEST_F(NotaryTest, ALogThatLostItsEndIsNeverSigned) {
  const auto notary = *Open();
  ASSERT_TRUE(notary->Checkpoint(Position(0)).ok());
  log_.leaves().pop_back();
  now_ += 2'000'000;
  const absl::Status refused = notary->Checkpoint(Position(0)).status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("lost its end"));
}

TEST_F(NotaryTest, AnotherKeyOfTheSameNameGoesOnAndAnotherNameDoesNot) {
  ASSERT_TRUE((*Open())->Checkpoint(Position(0)).ok());
  log_.leaves().push_back("four");
  key_ = *SigningKey::Generate("test.example/log");
  EXPECT_EQ((*Open())->Checkpoint(Position(4))->size, 4U);
  key_ = *SigningKey::Generate("test.example/other");
  EXPECT_TRUE(absl::IsFailedPrecondition(Open().status())) << Open().status();
}

TEST_F(NotaryTest, TheScheduleSignsWhenTheLogHasMoved) {
  const auto notary = *Open(absl::Milliseconds(1));
  for (int i = 0; i < 1000 && notary->Checkpoints(0, 10)->empty(); ++i) absl::SleepFor(absl::Milliseconds(5));
  absl::SleepFor(absl::Milliseconds(50));
  ASSERT_THAT(*notary->Checkpoints(0, 10), SizeIs(1));
  EXPECT_EQ((*notary->Checkpoints(0, 10))[0].size, 3U);
}

TEST_F(NotaryTest, WhileTheLogIsAwayTheFileAnswersAndAllOthersLearnTogether) {
  SlowLeaves slow(log_);
  const auto notary = *OpenOver(slow);
  ASSERT_TRUE(notary->Checkpoint(Position(3)).ok());
  slow.Stall();
  constexpr int kCallers = 16;
  std::atomic<int> coming = 0;
  std::vector<absl::Status> learnt(kCallers);
  std::vector<std::thread> callers;
  for (absl::Status& status : learnt) {
    callers.emplace_back([&] {
      ++coming;
      status = notary->Checkpoint(Position(4)).status();
    });
  }
  slow.AwaitAsked();
  while (coming < kCallers) absl::SleepFor(absl::Milliseconds(1));
  const absl::Time before = absl::Now();
  EXPECT_EQ(notary->Checkpoint(Position(3))->size, 3U);
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, 3U) << "it is young";
  EXPECT_THAT(*notary->Checkpoints(0, 10), SizeIs(1));
  EXPECT_LT(absl::Now() - before, SlowLeaves::kStallMax / 2) << "what the file has waits for no log";
  absl::SleepFor(absl::Milliseconds(50));  // all of them wait by now
  slow.Answer(absl::UnavailableError("the log is away"));
  for (std::thread& caller : callers) caller.join();
  for (const absl::Status& status : learnt) EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_LT(slow.asked(), kCallers / 2) << "each asked for itself";
  slow.Answer(absl::OkStatus());
  log_.leaves().push_back("four");
  EXPECT_EQ(notary->Checkpoint(Position(4))->size, 4U) << "a failure is no one's who comes later";
}

TEST_F(NotaryTest, WhoComesWhileOneIsSignedIsNotAnsweredWithATreeOfBefore) {
  SlowLeaves slow(log_);
  const auto notary = *OpenOver(slow);
  slow.Stall();
  std::thread first([&] { EXPECT_EQ(notary->Checkpoint(Position(3))->size, 3U); });
  slow.AwaitAsked();
  log_.leaves().push_back("four");
  std::thread second([&] { EXPECT_EQ(notary->Checkpoint(Position(4))->size, 4U); });
  std::thread third([&] { EXPECT_TRUE(absl::IsOutOfRange(notary->Checkpoint(Position(5)).status())); });
  absl::SleepFor(absl::Milliseconds(20));
  slow.Answer(absl::OkStatus());
  for (std::thread* caller : {&first, &second, &third}) caller->join();
  EXPECT_THAT(*notary->Checkpoints(0, 10), SizeIs(2));
}

TEST_F(NotaryTest, AnEmptyLogIsSignedAndNotKept) {
  log_.leaves().clear();
  const auto notary = *Open();
  EXPECT_EQ(OpenCheckpoint(notary->Checkpoint(Position(0))->note, key_.verifier())->head.size, 0U);
  EXPECT_THAT(*notary->Checkpoints(0, 10), SizeIs(0));
}

TEST_F(NotaryTest, ALineThatACrashCutShortIsDropped) {
  ASSERT_TRUE((*Open())->Checkpoint(Position(0)).ok());
  const std::string first = Content();
  log_.leaves().push_back("four");
  ASSERT_TRUE((*Open())->Checkpoint(Position(4)).ok());
  const std::string second = Content().substr(first.size());
  for (const size_t bytes : {size_t{1}, second.size() / 2, second.size() - 4}) {
    Write(first + second.substr(0, bytes));
    ASSERT_TRUE(Open().ok());
    EXPECT_EQ(Content(), first) << bytes;
  }
}

// The log is of use without them: only what is signed is refused, on and on.
TEST_F(NotaryTest, OverADamagedFileItOpensAndAnswersDataLossWithTheLine) {
  {
    const auto notary = *Open();
    ASSERT_TRUE(notary->Checkpoint(Position(3)).ok());
    log_.leaves().push_back("four");
    ASSERT_TRUE(notary->Checkpoint(Position(4)).ok());
  }
  const std::string whole = Content();
  log_.leaves().push_back("five");
  for (const size_t back : {size_t{1}, size_t{2}, size_t{40}, whole.size() - whole.find('\n') - 10}) {
    std::string damaged = whole;
    damaged[damaged.size() - back] ^= 1;
    Write(damaged);
    const auto notary = Open(absl::Milliseconds(1));
    ASSERT_TRUE(notary.ok()) << notary.status();
    absl::SleepFor(absl::Milliseconds(5));  // the schedule would have signed
    for (const absl::Status& status :
         {(*notary)->Checkpoint(Position(0)).status(), (*notary)->Checkpoint(Position(5)).status(),
          (*notary)->Checkpoints(0, 10).status()}) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(file() + ", line 2"));
    }
    EXPECT_EQ(Content(), damaged);
  }
  Write(whole);
  EXPECT_EQ((*Open())->Checkpoint(Position(5))->size, 5U);
}

TEST_F(NotaryTest, AnInstantAheadOfTheClockKeepsNobodyFromAFreshOne) {
  ASSERT_TRUE((*Open())->Checkpoint(Position(0)).ok());
  now_ -= 500'000'000;
  log_.leaves().push_back("four");
  EXPECT_EQ((*Open())->Checkpoint(Position(0))->size, 4U);
}

}  // namespace
}  // namespace qinglan::proofs
