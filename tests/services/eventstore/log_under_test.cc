#include "tests/services/eventstore/log_under_test.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "eventstore/check.h"

namespace qinglan::tests {

using eventstore::AppendRequest;
using eventstore::EventView;
using eventstore::Position;

// The lock is held while passing on, so that what was held goes first.
void SeenThroughStore::Append(AppendRequest request, AppendDone done) {
  const absl::MutexLock lock(&mutex_);
  if (holding_) {
    held_.emplace_back(std::move(request), std::move(done));
  } else {
    store_.Append(std::move(request), std::move(done));
  }
}

void SeenThroughStore::Release() {
  const absl::MutexLock lock(&mutex_);
  holding_ = false;
  for (auto& [request, done] : held_) store_.Append(std::move(request), std::move(done));
  held_.clear();
}

size_t SeenThroughStore::held() const {
  const absl::MutexLock lock(&mutex_);
  return held_.size();
}

absl::StatusOr<Position> SeenThroughStore::Read(const eventstore::Query& query,
                                                const eventstore::ReadOptions& options,
                                                eventstore::EventVisitor visit) const {
  absl::Status failure;
  const auto read = store_.Read(query, options, [&](const EventView& event) {
    if (event.position.value >= damaged_at) {
      failure = eventstore::DataLossError(event.position, "the test says so");
      return false;
    }
    if (shown_ >= fails_once_at) {
      fails_once_at = SIZE_MAX;
      failure = absl::UnavailableError("the test says so");
      return false;
    }
    ++shown_;
    if (before_showing) before_showing(event.position);
    return visit(event);
  });
  if (!failure.ok()) return failure;
  return read;
}

class SeenThroughStore::Following final : public eventstore::Subscription {
 public:
  Following(SeenThroughStore& store, std::unique_ptr<eventstore::Subscription> beneath)
      : store_(store), beneath_(std::move(beneath)) {}

  absl::StatusOr<eventstore::Progress> Next(size_t limit, absl::Duration wait,
                                            eventstore::EventVisitor visit) override {
    return beneath_->Next(limit, wait, [&](const EventView& event) {
      ++store_.shown_;
      return visit(event);
    });
  }
  void Cancel() override { beneath_->Cancel(); }

 private:
  SeenThroughStore& store_;
  std::unique_ptr<eventstore::Subscription> beneath_;
};

absl::StatusOr<std::unique_ptr<eventstore::Subscription>> SeenThroughStore::Subscribe(eventstore::Query query,
                                                                                      Position after) {
  QL_ASSIGN_OR_RETURN(auto beneath, store_.Subscribe(std::move(query), after));
  return std::make_unique<Following>(*this, std::move(beneath));
}

LogUnderTest::LogUnderTest(const eventstore::EventStoreServiceOptions& service_options)
    : service_options_(service_options) {
  std::string path = testing::TempDir() + "/qinglan-remote-XXXXXX";
  directory_ = mkdtemp(path.data());
  Up();
}

LogUnderTest::~LogUnderTest() {
  Down();
  std::filesystem::remove_all(directory_);
}

void LogUnderTest::HoldReadsOf(const std::string& tag) {
  Put(1, {tag});
  const Position slow = *log_->Head();
  HoldReads();
  seen_through_->before_showing = [this, slow](Position position) {
    if (position != slow) return;
    ++reads_held_;
    while (holding_reads_) absl::SleepFor(absl::Milliseconds(1));
    --reads_held_;
  };
}

void LogUnderTest::Down() {
  ReleaseReads();
  server_.reset();
  seen_through_.reset();
  log_.reset();
}

void LogUnderTest::Up() {
  eventstore::RocksEventStore::Options options;
  options.directory = directory_;
  auto log = eventstore::RocksEventStore::Open(options);
  QL_CHECK(log.ok(), log.status().ToString().c_str());
  log_ = *std::move(log);
  seen_through_ = std::make_unique<SeenThroughStore>(*log_);
  server_ = std::make_unique<LogServer>(*seen_through_, *log_, port_, service_options_);
  port_ = server_->port();
}

void LogUnderTest::Put(size_t count, const std::vector<std::string>& tags, size_t payload_bytes) {
  const size_t events_each = std::min<size_t>(500, eventstore::kCommitBytesMax / 2 / (payload_bytes + 100));
  while (count > 0) {
    AppendRequest request = OneEvent(fmt::format("put-{}", puts_++), tags, payload_bytes);
    request.events.resize(std::min(count, events_each), request.events.front());
    count -= request.events.size();
    const auto appended = log_->AppendAndWait(std::move(request));
    QL_CHECK(appended.ok(), appended.status().ToString().c_str());
  }
}

AppendRequest OneEvent(std::string commit_id, std::vector<std::string> tags, size_t payload_bytes) {
  AppendRequest request;
  request.fingerprint = commit_id;
  request.commit_id = std::move(commit_id);
  request.actor = "tester";
  request.events.push_back(
      {"tested", std::move(tags), absl::CivilDay(2026, 9, 1), std::string(payload_bytes, 'x')});
  return request;
}

bool Eventually(const std::function<bool()>& is_so) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!is_so()) {
    if (absl::Now() > give_up) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

uint64_t Standstill(const std::function<uint64_t()>& count) {
  EXPECT_TRUE(Eventually([&] { return count() > 0; }));
  uint64_t before = 0;
  do {
    before = count();
    absl::SleepFor(absl::Milliseconds(333));
  } while (count() != before);
  return before;
}

eventstore::Query TaggedWith(const std::string& tag) { return {{eventstore::QueryItem{{}, {tag}}}}; }

}  // namespace qinglan::tests
