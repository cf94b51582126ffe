// An embedded log in a folder of its own, served on loopback; its appends can be held up, and what is read of
// it is counted.
#pragma once

#include <absl/synchronization/mutex.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/rocks/rocks_event_store.h"
#include "tests/harness/log_server.h"

namespace qinglan::tests {

// The store beneath, seen through. Thread-safe.
class SeenThroughStore final : public eventstore::EventStore {
 public:
  explicit SeenThroughStore(eventstore::EventStore& store) : store_(store) {}

  // From now on appends wait here until Release().
  void Hold() { holding_ = true; }
  void Release();
  size_t held() const;
  // Events that readers and followers have been shown.
  size_t shown() const { return shown_; }
  // Reads forwards fail at this event, as if it were damaged.
  std::atomic<uint64_t> damaged_at = UINT64_MAX;
  // When so many events have been shown, the next fails its read instead, with UNAVAILABLE; once.
  mutable std::atomic<size_t> fails_once_at = SIZE_MAX;
  // Called before each event is shown.
  std::function<void(eventstore::Position)> before_showing;

  void Append(eventstore::AppendRequest request, AppendDone done) override;
  absl::StatusOr<eventstore::Position> Read(const eventstore::Query& query,
                                            const eventstore::ReadOptions& options,
                                            eventstore::EventVisitor visit) const override;
  absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const override {
    return store_.FindCommit(commit_id);
  }
  absl::StatusOr<eventstore::Position> Head() const override { return store_.Head(); }
  absl::StatusOr<eventstore::Position> HeadAt(absl::Time instant) const override {
    return store_.HeadAt(instant);
  }
  absl::StatusOr<std::unique_ptr<eventstore::Subscription>> Subscribe(eventstore::Query query,
                                                                      eventstore::Position after) override;

 private:
  class Following;

  eventstore::EventStore& store_;
  std::atomic<bool> holding_ = false;
  mutable std::atomic<size_t> shown_ = 0;
  mutable absl::Mutex mutex_;
  std::vector<std::pair<eventstore::AppendRequest, AppendDone>> held_;
};

class LogUnderTest {
 public:
  explicit LogUnderTest(const eventstore::EventStoreServiceOptions& service_options = {});
  ~LogUnderTest();

  SeenThroughStore& store() { return *seen_through_; }
  LogServer& server() { return *server_; }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

  // Puts an event with this tag. Whoever is shown it waits until they are released.
  void HoldReadsOf(const std::string& tag);
  size_t reads_held() const { return reads_held_; }
  void HoldReads() { holding_reads_ = true; }  // again
  void ReleaseReads() { holding_reads_ = false; }

  // The server and the log go, as in a restart; and come again on the same port.
  void Down();
  void Up();

  // Events with these tags, in commits of at most 500, straight into the log.
  void Put(size_t count, const std::vector<std::string>& tags, size_t payload_bytes = 100);

 private:
  const eventstore::EventStoreServiceOptions service_options_;
  std::string directory_;
  std::unique_ptr<eventstore::RocksEventStore> log_;
  std::unique_ptr<SeenThroughStore> seen_through_;
  std::unique_ptr<LogServer> server_;
  int port_ = 0;
  size_t puts_ = 0;
  std::atomic<bool> holding_reads_ = false;
  std::atomic<size_t> reads_held_ = 0;
};

eventstore::AppendRequest OneEvent(std::string commit_id, std::vector<std::string> tags = {},
                                   size_t payload_bytes = 100);
eventstore::Query TaggedWith(const std::string& tag);

// Waits until it is so; false when it is not within 20 seconds.
bool Eventually(const std::function<bool()>& is_so);
// Where a count stands once it has begun and then not moved for a third of a second.
uint64_t Standstill(const std::function<uint64_t()>& count);

}  // namespace qinglan::tests
