// Who writes: the committer's thread, or the only caller in its place; and who checks a condition
// before.
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "eventstore/rocks/fsck.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "tests/fault/disk/disk.h"
#include "tests/fault/load/soundness.h"

namespace qinglan::fault {
namespace {

using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::Position;
using eventstore::RocksEventStore;

AppendRequest OneEvent(const std::string& commit_id, std::vector<std::string> tags = {}) {
  AppendRequest request;
  request.commit_id = commit_id;
  request.events.push_back({"type", std::move(tags), absl::CivilDay(2026, 9, 1), "payload"});
  return request;
}

AppendRequest UnlessThereIs(const std::string& tag, AppendRequest request) {
  request.condition = {{{{{}, {tag}}}}, Position(0)};
  return request;
}

class WriterTest : public testing::Test {
 protected:
  WriterTest()
      : disk_(folder_.log()), store_(*RocksEventStore::Open(SmallStore(folder_.log(), disk_.env()))) {
    Hush();
  }

  struct Answer {
    absl::StatusOr<Appended> appended;
    std::thread::id thread;
  };
  auto Noting(const std::string& id) {
    return [this, id](absl::StatusOr<Appended> appended) {
      const std::lock_guard lock(mutex_);
      answers_.emplace(id, Answer{std::move(appended), std::this_thread::get_id()});
    };
  }
  // By "again", the same commit, and by "second", whose condition it meets. Answers all.
  void ExpectTheFirstWasSeen() {
    store_.reset();
    ASSERT_TRUE(answers_.at("again").appended.ok());
    EXPECT_TRUE(answers_.at("again").appended->replayed);
    EXPECT_EQ(answers_.at("again").appended->last, Position(1));
    EXPECT_EQ(answers_.at("second").appended.status().code(), absl::StatusCode::kAborted);
  }
  size_t Answered() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

  const ScratchFolder folder_;
  Disk disk_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::unique_ptr<RocksEventStore> store_;  // last, for it answers until it has gone
};

TEST_F(WriterTest, TheOnlyCallerWritesItselfAndIsAnsweredBeforeItsCallReturns) {
  for (const std::string id : {"a", "b", "c"}) {
    store_->AppendHere(OneEvent(id), Noting(id));
    ASSERT_EQ(answers_.count(id), 1u);
    EXPECT_EQ(answers_.at(id).thread, std::this_thread::get_id());
  }
  EXPECT_EQ(*store_->Head(), Position(3));
}

TEST_F(WriterTest, WhileACallerWritesOthersWaitInTheQueueAndNotInTheirCalls) {
  disk_.HoldSyncs(".log");
  std::thread writer([&] { store_->AppendHere(OneEvent("a"), Noting("a")); });
  disk_.AwaitHeldSync();
  store_->AppendHere(OneEvent("b"), Noting("b"));  // they would never return, else
  store_->Append(OneEvent("c"), Noting("c"));
  auto head_at = std::async(std::launch::async, [&] { return *store_->HeadAt(absl::Now()); });
  EXPECT_EQ(head_at.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_EQ(Answered(), 0u);
  EXPECT_EQ(*store_->Head(), Position(0));
  disk_.LetSyncsGo();
  writer.join();
  EXPECT_GE(head_at.get(), Position(1));
  while (Answered() < 3) absl::SleepFor(absl::Milliseconds(1));
  uint64_t position = 0;
  for (const auto& [id, answer] : answers_) {
    ASSERT_TRUE(answer.appended.ok()) << id << ": " << answer.appended.status();
    EXPECT_EQ(answer.appended->last.value, ++position) << id;
  }
  EXPECT_TRUE(eventstore::Fsck(*store_, [](auto, auto, auto) {})->clean());
}

TEST_F(WriterTest, WhatIsAskedOfAnInstantToComeWaitsForTheWriteUnderWayAndNotForTheNext) {
  disk_.HoldSyncs(".log");
  store_->Append(OneEvent("a"), Noting("a"));
  disk_.AwaitHeldSync();
  store_->Append(OneEvent("b"), Noting("b"));
  auto head_at = std::async(std::launch::async, [&] { return store_->HeadAt(absl::InfiniteFuture()); });
  EXPECT_EQ(head_at.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  disk_.LetOneSyncGo();
  EXPECT_EQ(head_at.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  disk_.LetSyncsGo();
  EXPECT_EQ(head_at.get().value(), Position(1));
  store_.reset();  // answers all
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(WriterTest, TheAnswerOfACallerThatWritesItselfMayCloseTheStore) {
  bool closed = false;
  store_->AppendHere(OneEvent("a"), [&](const absl::StatusOr<Appended>& appended) {
    ASSERT_TRUE(appended.ok()) << appended.status();
    store_.reset();
    closed = true;
  });
  EXPECT_TRUE(closed);
  store_ = *RocksEventStore::Open(SmallStore(folder_.log(), disk_.env()));
  EXPECT_EQ(*store_->Head(), Position(1));
}

TEST_F(WriterTest, ACallerThatWritesItselfIsToldOfAFailingDisk) {
  disk_.FailSyncs(".log", 1);
  store_->AppendHere(OneEvent("a"), Noting("a"));
  ASSERT_EQ(answers_.count("a"), 1u);
  EXPECT_EQ(answers_.at("a").appended.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*store_->Head(), Position(0));
  // To try again is the committer's work, for it may take long.
  store_->AppendHere(OneEvent("b"), Noting("b"));
  while (Answered() < 2) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_FALSE(answers_.at("b").appended.ok());
  EXPECT_NE(answers_.at("b").thread, std::this_thread::get_id());
}

TEST_F(WriterTest, WhoseConditionWaitsForTheDiskHoldsUpNobodyElse) {
  for (int i = 0; i < 500; ++i) {  // so that most of the index is on the disk
    const std::string number = std::to_string(i);
    ASSERT_TRUE(store_->AppendAndWait(OneEvent("before " + number, {"t:" + number})).ok());
  }
  RocksEventStore::Options options = SmallStore(folder_.log(), disk_.env());
  options.cache_bytes = 0;  // whoever looks reads
  for (const bool writes_itself : {false, true}) {
    store_.reset();
    store_ = *RocksEventStore::Open(options);
    std::thread slow([&] {
      AppendRequest request = UnlessThereIs("t:2", OneEvent("slow"));
      disk_.held_read().HoldMyNext(".sst");
      writes_itself ? store_->AppendHere(std::move(request), Noting("here"))
                    : store_->Append(std::move(request), Noting("queued"));
    });
    EXPECT_TRUE(disk_.held_read().Await());
    const auto other = store_->AppendAndWait(OneEvent(writes_itself ? "other 1" : "other 2"));
    EXPECT_TRUE(other.ok()) << other.status();
    disk_.held_read().LetGo();
    slow.join();
  }
  store_.reset();  // answers all
  for (const std::string id : {"here", "queued"})
    EXPECT_EQ(answers_.at(id).appended.status().code(), absl::StatusCode::kAborted) << id;
}

TEST_F(WriterTest, WhatComesBetweenTheLookingAndTheTurnIsSeen) {
  disk_.HoldSyncs(".log");
  store_->Append(OneEvent("first", {"t:1"}), Noting("first"));
  disk_.AwaitHeldSync();
  // They look now, while the first is in nobody's sight.
  store_->Append(OneEvent("first", {"t:1"}), Noting("again"));
  store_->Append(UnlessThereIs("t:1", OneEvent("second")), Noting("second"));
  store_->Append(UnlessThereIs("t:2", OneEvent("third")), Noting("third"));
  disk_.LetSyncsGo();
  ExpectTheFirstWasSeen();
  EXPECT_TRUE(answers_.at("third").appended.ok());
}

TEST_F(WriterTest, WhatComesBetweenIsSeenWhenItHasLeftTheNewestMemory) {
  disk_.HoldSyncs(".log");
  store_->Append(OneEvent("first", {"t:1"}), Noting("first"));
  disk_.AwaitHeldSync();
  // More than one write takes, and more than the index keeps in its newest memory.
  std::vector<RocksEventStore::PendingAppend> many;
  for (int i = 0; i < 6'000; ++i) {
    const std::string id = "many " + std::to_string(i);
    many.push_back({OneEvent(id, {"m:" + std::to_string(i)}), Noting(id)});
  }
  many.push_back({OneEvent("first", {"t:1"}), Noting("again")});
  many.push_back({UnlessThereIs("t:1", OneEvent("second")), Noting("second")});
  many.push_back({UnlessThereIs("m:7", OneEvent("third")), Noting("third")});
  many.push_back({UnlessThereIs("t:2", OneEvent("fourth")), Noting("fourth")});
  store_->AppendAll(std::move(many));
  disk_.LetSyncsGo();
  ExpectTheFirstWasSeen();
  EXPECT_EQ(answers_.at("third").appended.status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(answers_.at("fourth").appended.ok());
}

}  // namespace
}  // namespace qinglan::fault
