// One teacher's portfolio and the evidence behind it, read from the log. Somebody else's reading is recorded
// before it is answered: an answer that could not be recorded is not given.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "eventstore/event_store.h"
#include "projections/progression/policy/policy_book.h"
#include "qinglan/portfolio/v1/portfolio_events.pb.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/runtime/call.h"

namespace qinglan::portfolio {

// How long a query waits for the position that it was asked to know, when its caller sets no earlier
// deadline.
inline constexpr absl::Duration kWaitMax = absl::Seconds(10);

absl::Time WaitDeadline(const runtime::Call& call);

// Thread-safe. All that it is given must outlive it.
class Reading {
 public:
  Reading(eventstore::EventStore& store, const runtime::Environment& environment)
      : store_(store), environment_(environment), policies_(store) {}

  [[nodiscard]] absl::StatusOr<v1::GetPortfolioResponse> GetPortfolio(const v1::GetPortfolioRequest& request,
                                                                      const runtime::Call& call);
  [[nodiscard]] absl::StatusOr<v1::GetEventResponse> GetEvent(const v1::GetEventRequest& request,
                                                              const runtime::Call& call);

 private:
  absl::Status AwaitHead(eventstore::Position position, absl::Time deadline) const;
  absl::StatusOr<eventstore::Position> KnownPosition(const v1::GetPortfolioRequest& request) const;
  absl::Status RecordView(v1::PortfolioViewed viewed, const runtime::Call& call);

  eventstore::EventStore& store_;
  const runtime::Environment& environment_;
  progression::SharedPolicyBook policies_;
};

}  // namespace qinglan::portfolio
