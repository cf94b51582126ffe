#include "tests/contract/store_under_test.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "eventstore/rocks/rocks_event_store.h"
#include "services/eventstore/client/remote_event_store.h"
#include "tests/harness/log_server.h"

namespace qinglan::eventstore {
namespace {

class Embedded final : public StoreUnderTest {
 public:
  explicit Embedded(const StoreOptions& setup) {
    std::string path = testing::TempDir() + "/qinglan-contract-XXXXXX";
    options_.directory = mkdtemp(path.data());
    options_.clock = setup.clock;
    options_.queue_events_max = setup.queue_events_max;
    options_.queue_bytes_max = setup.queue_bytes_max;
    options_.small_buffers = true;
    options_.cache_bytes = 8 * 1024 * 1024;
    Open();
  }
  ~Embedded() override {
    store_.reset();
    std::filesystem::remove_all(options_.directory);
  }

  RocksEventStore& store() override { return *store_; }
  const ProvableLog& proofs() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }
  void Close() override { store_.reset(); }

 private:
  void Open() {
    auto store = RocksEventStore::Open(options_);
    if (!store.ok()) {
      ADD_FAILURE() << store.status();
      std::abort();
    }
    store_ = *std::move(store);
  }

  RocksEventStore::Options options_;
  std::unique_ptr<RocksEventStore> store_;
};

// An embedded store behind a real server on loopback. Reopen() restarts both; the client stays, and finds
// them again by itself.
class Remote final : public StoreUnderTest {
 public:
  explicit Remote(const StoreOptions& setup)
      : embedded_(setup), server_(std::make_unique<tests::LogServer>(embedded_.store(), embedded_.store())) {
    RemoteEventStore::Options options = server_->ClientOptions();
    options.queue_events_max = setup.queue_events_max;
    options.queue_bytes_max = setup.queue_bytes_max;
    auto client = RemoteEventStore::Connect(options);
    if (!client.ok()) {
      ADD_FAILURE() << client.status();
      std::abort();
    }
    client_ = *std::move(client);
  }

  EventStore& store() override { return *client_; }
  const ProvableLog& proofs() override { return *client_; }
  void Reopen() override {
    const int port = server_->port();
    server_.reset();
    embedded_.Reopen();
    server_ = std::make_unique<tests::LogServer>(embedded_.store(), embedded_.store(), port);
  }
  void Close() override {
    client_.reset();
    server_.reset();
    embedded_.Close();
  }

 private:
  Embedded embedded_;
  std::unique_ptr<tests::LogServer> server_;
  std::unique_ptr<RemoteEventStore> client_;
};

}  // namespace

std::vector<Implementation> Implementations() {
  return {{"Embedded", [](const StoreOptions& setup) { return std::make_unique<Embedded>(setup); }},
          {"Remote", [](const StoreOptions& setup) { return std::make_unique<Remote>(setup); }}};
}

std::vector<Event> ContractTest::ReadAll(const Query& query, const ReadOptions& options) {
  std::vector<Event> events;
  const auto read = store().Read(query, options, [&](const EventView& event) {
    events.push_back(Copy(event));
    return true;
  });
  EXPECT_TRUE(read.ok()) << read.status();
  return events;
}

std::vector<uint64_t> ContractTest::Positions(const Query& query, const ReadOptions& options) {
  std::vector<uint64_t> positions;
  for (const Event& event : ReadAll(query, options)) positions.push_back(event.position.value);
  return positions;
}

Appended ContractTest::Put(const std::string& type, std::vector<std::string> tags, size_t count) {
  AppendRequest request = MakeRequest(fmt::format("put-{}", ++puts_), {});
  for (size_t i = 0; i < count; ++i) request.events.push_back(MakeEvent(type, tags));
  const auto appended = store().AppendAndWait(std::move(request));
  EXPECT_TRUE(appended.ok()) << appended.status();
  return appended.value_or(Appended{});
}

Position ContractTest::HeadNow() {
  const auto head = store().Head();
  EXPECT_TRUE(head.ok()) << head.status();
  return head.value_or(Position());
}

NewEvent MakeEvent(std::string type, std::vector<std::string> tags, std::string payload) {
  return {std::move(type), std::move(tags), absl::CivilDay(2026, 9, 1), std::move(payload)};
}

AppendRequest MakeRequest(std::string commit_id, std::vector<NewEvent> events) {
  AppendRequest request;
  request.fingerprint = "fingerprint of " + commit_id;
  request.commit_id = std::move(commit_id);
  request.actor = "actor";
  request.events = std::move(events);
  return request;
}

AppendRequest WithCondition(AppendRequest request, Query fail_if_events_match, Position after) {
  request.condition = AppendCondition{std::move(fail_if_events_match), after};
  return request;
}

Query Tagged(std::vector<std::string> tags) { return Query{{QueryItem{{}, std::move(tags)}}}; }
Query Typed(std::vector<std::string> types) { return Query{{QueryItem{std::move(types), {}}}}; }

std::string NameOf(const testing::TestParamInfo<Implementation>& info) { return info.param.name; }

}  // namespace qinglan::eventstore
