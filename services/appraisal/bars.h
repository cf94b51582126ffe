// 限制期: bars with their first and last day, and how they are lifted before it.
// Pure; the contract is in services/runtime/decision.h, the errors in appraisal_service.proto.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::appraisal {

// A bar as its events have left it.
struct BarState {
  v1::BarImposed imposed;
  bool lifted = false;
  bool void_from_start = false;
  std::string lifted_on;
  eventstore::Position imposed_at;

  // Whether it holds on that day: both its first and its last day are in it, the day of lifting no more.
  bool HoldsOn(absl::CivilDay day) const;
  bool Covers(v1::BarScope scope) const;
};

// Folds bars, whomever they bar.
struct Bars {
  std::map<std::string, BarState, std::less<>> by_id;

  void Apply(const eventstore::EventView& event);
};

// Every event of bars that bears `tags`.
eventstore::QueryItem BarEvents(std::vector<std::string> tags);

// How long: exactly one of the three is set.
struct BarLength {
  uint32_t months = 0;
  uint32_t years = 0;
  std::string until_on;

  int Given() const { return (months > 0 ? 1 : 0) + (years > 0 ? 1 : 0) + (until_on.empty() ? 0 : 1); }
};

// The last day of a bar that starts on `start`. 民法典第二百零二条: a length in months or years ends on the
// corresponding day, or on the last of that month where there is none, and that day still counts.
// END_BEFORE_START (naming `field`) for an until_on before it; the length must be given.
absl::StatusOr<absl::CivilDay> LastDay(absl::CivilDay start, const BarLength& length,
                                       const std::string& field);

struct LiftBar {
  using Command = v1::LiftBarRequest;
  using Answer = v1::LiftBarResponse;
  using Model = Bars;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// The event that lifts `bar`, with its tags; the caller sets why and on whose authority.
v1::BarLifted Lifting(const BarState& bar);
std::vector<std::string> BarTags(const v1::BarImposed& bar);

}  // namespace qinglan::appraisal
