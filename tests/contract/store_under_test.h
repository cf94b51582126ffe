// What the contract suite runs on. A store that is an EventStore and a ProvableLog joins the suite by one
// entry in Implementations().
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"

namespace qinglan::eventstore {

struct StoreOptions {
  std::function<absl::Time()> clock = [] { return absl::Now(); };
  size_t queue_events_max = 20'000;
  size_t queue_bytes_max = 64 * 1024 * 1024;
};

// One store with nothing in it but what the test puts there.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual EventStore& store() = 0;
  virtual const ProvableLog& proofs() = 0;  // of the same
  // Closes the store and opens it again on what it had stored. Subscriptions must be gone.
  virtual void Reopen() = 0;
  // Closes the store for good.
  virtual void Close() = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>(const StoreOptions&)> make;
};
std::vector<Implementation> Implementations();
inline void PrintTo(const Implementation& implementation, std::ostream* out) { *out << implementation.name; }

// The fixture: a store, and short words for what tests say often.
class ContractTest : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override { Start({}); }
  void Start(const StoreOptions& setup) {
    under_test_.reset();
    under_test_ = GetParam().make(setup);
  }

  EventStore& store() { return under_test_->store(); }
  const ProvableLog& proofs() { return under_test_->proofs(); }
  StoreUnderTest& under_test() { return *under_test_; }

  // Every event that matches, copied. Fails the test when the read fails.
  std::vector<Event> ReadAll(const Query& query, const ReadOptions& options = {});
  std::vector<uint64_t> Positions(const Query& query, const ReadOptions& options = {});
  // Appends one commit of `count` events of a type with these tags and fails the test when that fails.
  Appended Put(const std::string& type, std::vector<std::string> tags, size_t count = 1);
  Position HeadNow();

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
  int puts_ = 0;
};

NewEvent MakeEvent(std::string type, std::vector<std::string> tags, std::string payload = "payload");
AppendRequest MakeRequest(std::string commit_id, std::vector<NewEvent> events);
AppendRequest WithCondition(AppendRequest request, Query fail_if_events_match, Position after);
Query Tagged(std::vector<std::string> tags);
Query Typed(std::vector<std::string> types);

std::string NameOf(const testing::TestParamInfo<Implementation>& info);

}  // namespace qinglan::eventstore

#define QL_ON_EVERY_IMPLEMENTATION(suite) \
  INSTANTIATE_TEST_SUITE_P(Store, suite, testing::ValuesIn(Implementations()), NameOf)
