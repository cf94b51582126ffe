// All policies that were ever published, and the answer to: which one was in force for this organisation on
// this day, as known at this position? A school's is laid over its district's, so that a school states only
// what differs.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/event_store.h"
#include "eventstore/query.h"
#include "qinglan/progression/v1/policy.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"

namespace qinglan::progression {

struct PublishedPolicy {
  v1::PolicyRef ref;
  v1::Policy policy;
  std::string event_id;
};

// What judges: the merged policy, and the published versions that it is made of, the district's first.
struct PolicyInForce {
  v1::Policy policy;
  std::vector<PublishedPolicy> made_of;
};

// A fold of all policies and organisations. Not thread-safe. A copy is an independent book.
class PolicyBook {
 public:
  static eventstore::Query Interest();

  // Other events are ignored. Events come in order of position, and each parses as its own type.
  void Apply(const eventstore::EventView& event);

  // The policy of `ladder` that is in force for `org_id` on `day` (the highest version with effective_from
  // not after it, of each organisation from the root down to this one) as far as published by `known_at`.
  // NOT_FOUND when there is none.
  [[nodiscard]] absl::StatusOr<PolicyInForce> InForce(std::string_view org_id, v1::Ladder ladder,
                                                      absl::CivilDay day,
                                                      eventstore::Position known_at) const;

  // Every published version, in the order of the log.
  const std::vector<PublishedPolicy>& published() const { return published_; }

 private:
  struct Parent {
    std::string org_id;
    uint64_t position;
  };

  std::vector<PublishedPolicy> published_;
  std::map<std::string, Parent, std::less<>> parents_;
};

// Lays `over` (a school's) upon `base` (its district's): criteria, milestones, quotas and bar lengths by id,
// limits by kind and tier; calendar, leave rule and tiers as a whole where it has them. A criterion that the
// district fixed stays.
v1::Policy Merge(const v1::Policy& base, const v1::Policy& over);

// A book that follows a log, read on when asked. Thread-safe. The store must outlive it.
class SharedPolicyBook {
 public:
  explicit SharedPolicyBook(const eventstore::EventStore& store) : store_(store) {}

  // As PolicyBook::InForce(), after reading up to `known_at`. An error of the store's comes through.
  [[nodiscard]] absl::StatusOr<PolicyInForce> InForce(std::string_view org_id, v1::Ladder ladder,
                                                      absl::CivilDay day, eventstore::Position known_at);

  // Every version published by `known_at`, in the order of the log.
  [[nodiscard]] absl::StatusOr<std::vector<PublishedPolicy>> Published(eventstore::Position known_at);

 private:
  [[nodiscard]] absl::Status ReadOn(eventstore::Position known_at);

  const eventstore::EventStore& store_;
  std::mutex mutex_;
  PolicyBook book_;                  // guarded by mutex_
  eventstore::Position read_up_to_;  // guarded by mutex_
};

}  // namespace qinglan::progression
