#include "tests/fault/load/game.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>

#include "eventstore/rocks/fsck.h"

namespace qinglan::fault {

using eventstore::AppendCondition;
using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::Event;
using eventstore::EventView;
using eventstore::NewEvent;
using eventstore::Position;
using eventstore::Query;
using eventstore::ReadOptions;
using eventstore::RocksEventStore;

namespace {
constexpr int kCommitIds = 3000;
constexpr int kCrashedCommits = 4;  // that are under way when the power goes
}  // namespace

std::vector<uint64_t> Model::Read(const Query& query, const ReadOptions& options) const {
  const uint64_t up_to = std::min(options.up_to.value_or(Position(head())).value, head());
  std::vector<uint64_t> positions;
  for (const Event& event : events) {
    const bool within = event.position > options.after && event.position.value <= up_to;
    if (within && query.Matches(event.View())) positions.push_back(event.position.value);
  }
  if (options.backwards) std::reverse(positions.begin(), positions.end());
  if (positions.size() > options.limit) positions.resize(options.limit);
  return positions;
}

const Model::Commit* Model::Find(const std::string& commit_id) const {
  const auto found = std::ranges::find_if(
      commits, [&](const Commit& commit) { return commit.first.commit_id == commit_id; });
  return found == commits.end() ? nullptr : &*found;
}

void Model::Add(const AppendRequest& request, const Appended& appended) {
  for (const NewEvent& event : request.events) {
    events.push_back({Position(head() + 1), request.commit_id, 0, event.type, event.tags, event.occurred_on,
                      appended.recorded_at, "", "", "", event.payload});
  }
  commits.emplace_back(request, appended);
}

Game::Game(Dice& dice) : dice_(dice), disk_(folder_.log()) { Open(); }

void Game::Open() {
  auto opened = RocksEventStore::Open(SmallStore(folder_.log(), disk_.env()));
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = *std::move(opened);
}

void Game::Play() {
  for (; dice_.More() && !testing::Test::HasFatalFailure(); ++operations_) {
    const int roll = Below(200);
    if (roll < 90) {
      Append();
    } else if (roll < 180) {
      Read();
    } else if (roll < 188) {
      Find();
    } else if (roll < 197) {
      HeadAt();
    } else if (roll < 198) {
      store_.reset();
      Open();
    } else {
      Crash();
    }
  }
  if (!testing::Test::HasFatalFailure()) End();
}

void Game::End() {
  const auto report = eventstore::Fsck(*store_, [](auto, auto, auto) {});
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_TRUE(report->clean()) << report->problems[0].what;
  ASSERT_EQ(report->events, model_.head());
}

std::vector<std::string> Game::Some(std::string_view kind, int of, int most) {
  std::vector<std::string> some;
  for (int i = Below(most + 1); i > 0; --i) {
    std::string one = fmt::format("{}:{}", kind, Skewed(of));
    if (std::ranges::find(some, one) == some.end()) some.push_back(std::move(one));
  }
  return some;
}

Query Game::RandomQuery() {
  Query query;
  for (int i = Skewed(4); i >= 0; --i) query.items.push_back({Some("type", 6, 2), Some("tag", 30, 2)});
  return query;
}

AppendRequest Game::RandomRequest() {
  AppendRequest request;
  request.commit_id = fmt::format("c-{}", Below(kCommitIds));
  request.fingerprint = "of " + request.commit_id;
  request.actor = "player";
  const int events = Below(20) == 0 ? 60 : 1 + Skewed(6);
  for (int i = 0; i < events; ++i) {
    request.events.push_back(
        {fmt::format("type:{}", Skewed(6)), Some("tag", 30, 4), absl::CivilDay(2026, 9, 1), "payload"});
  }
  return request;
}

void Game::Append() {
  AppendRequest request = RandomRequest();
  if (Below(10) == 0) request.fingerprint = "another";
  if (Below(2) == 0) {
    const uint64_t back = static_cast<uint64_t>(Skewed(200));
    request.condition =
        AppendCondition{RandomQuery(), Position(model_.head() > back ? model_.head() - back : 0)};
  }
  const auto answer = store_->AppendAndWait(request);
  if (const auto* known = model_.Find(request.commit_id); known != nullptr)
    return ExpectKnown(*known, request, answer);
  if (request.condition.has_value()) {
    const auto met =
        model_.Read(request.condition->fail_if_events_match, {.after = request.condition->after, .limit = 1});
    if (!met.empty()) {
      ASSERT_EQ(answer.status().code(), absl::StatusCode::kAborted);
      ASSERT_EQ(eventstore::ConflictPosition(answer.status()), Position(met[0]));
      return;
    }
  }
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->first, Position(model_.head() + 1));
  model_.Add(request, *answer);
  ASSERT_EQ(answer->last, Position(model_.head()));
}

void Game::ExpectKnown(const Model::Commit& known, const AppendRequest& request,
                       const absl::StatusOr<Appended>& answer) {
  if (known.first.fingerprint != request.fingerprint) {
    ASSERT_EQ(answer.status().code(), absl::StatusCode::kAlreadyExists);
    return;
  }
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_TRUE(answer->replayed);
  ASSERT_EQ(answer->first, known.second.first);
  ASSERT_EQ(answer->last, known.second.last);
}

void Game::Read() {
  ReadOptions options;
  const int head = static_cast<int>(model_.head());
  if (Below(2) == 0) options.after = Position(static_cast<uint64_t>(Below(head + 5)));
  if (Below(2) == 0) options.up_to = Position(static_cast<uint64_t>(Below(head + 5)));
  if (Below(2) == 0) options.limit = static_cast<size_t>(Skewed(20));
  options.backwards = Below(2) == 0;
  const Query query = RandomQuery();
  std::vector<uint64_t> positions;
  const auto read = store_->Read(query, options, [&](const EventView& event) {
    positions.push_back(event.position.value);
    return true;
  });
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(positions, model_.Read(query, options));
}

void Game::Find() {
  const std::string id = fmt::format("c-{}", Below(kCommitIds));
  const auto found = store_->FindCommit(id);
  const auto* known = model_.Find(id);
  ASSERT_EQ(found.ok(), known != nullptr);
  if (known == nullptr) return;
  ASSERT_EQ(found->appended.first, known->second.first);
}

void Game::HeadAt() {
  if (model_.events.empty()) return;
  const auto index = static_cast<size_t>(Below(static_cast<int>(model_.head())));
  const absl::Time instant = model_.events[index].recorded_at - absl::Microseconds(Below(2));
  uint64_t expected = 0;
  while (expected < model_.head() && model_.events[expected].recorded_at <= instant) ++expected;
  ASSERT_EQ(*store_->HeadAt(instant), Position(expected));
}

// The power goes while some commits are under way: all that were answered are there afterwards, and of the
// others the first few.
void Game::Crash() {
  ++crashes_;
  std::vector<AppendRequest> under_way;
  for (int i = Below(kCrashedCommits); i > 0; --i) {
    AppendRequest request = RandomRequest();
    request.commit_id = fmt::format("crash-{}-{}", crashes_, i);
    under_way.push_back(std::move(request));
  }
  if (Below(2) == 0) disk_.CutPowerAfter(static_cast<uint64_t>(Below(8)), Disk::Death::kSilent);
  for (const AppendRequest& request : under_way) store_->Append(request, [](const auto&) {});
  disk_.CutPower(Disk::Death::kSilent);
  store_.reset();
  std::mt19937 random(dice_.Below(1u << 30));
  disk_.LosePower(kLosses[dice_.Below(std::size(kLosses))], random);
  Open();
  if (testing::Test::HasFatalFailure()) return;
  for (const AppendRequest& request : under_way) {
    const auto found = store_->FindCommit(request.commit_id);
    if (!found.ok()) break;
    ASSERT_EQ(found->appended.first, Position(model_.head() + 1));
    model_.Add(request, found->appended);
  }
  ASSERT_EQ(store_->Head()->value, model_.head());
}

}  // namespace qinglan::fault
