// Lists of teachers and of what waits for somebody, from the views. A page costs a bounded amount of work.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "eventstore/event_store.h"
#include "projections/progression/policy/policy_book.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/portfolio/service.h"
#include "services/runtime/call.h"

namespace qinglan::portfolio {

inline constexpr size_t kListPageDefault = 50;
inline constexpr size_t kTeachersLookedAtMax = 300;  // a page; each is one row and one assessment

// Thread-safe. All that it is given must outlive it.
class Lists {
 public:
  Lists(const eventstore::EventStore& store, const runtime::Environment& environment, const Views& views)
      : environment_(environment), views_(views), policies_(store) {}

  [[nodiscard]] absl::StatusOr<v1::ListTeachersResponse> ListTeachers(const v1::ListTeachersRequest& request,
                                                                      const runtime::Call& call);
  [[nodiscard]] absl::StatusOr<v1::ListWorkResponse> ListWork(const v1::ListWorkRequest& request,
                                                              const runtime::Call& call) const;
  [[nodiscard]] absl::StatusOr<v1::ListOwnWorkResponse> ListOwnWork(const v1::ListOwnWorkRequest& request,
                                                                    const runtime::Call& call) const;

 private:
  // The rows of whichever build answers for the view, once it knows the log up to min_position.
  absl::StatusOr<projections::ViewSnapshot> Rows(std::string_view view, uint64_t min_position,
                                                 const runtime::Call& call) const;
  std::string DueBefore(v1::WorkKind kind, const std::string& asked) const;

  const runtime::Environment& environment_;
  const Views views_;
  progression::SharedPolicyBook policies_;
};

}  // namespace qinglan::portfolio
