#include "eventstore/rocks/write/check_ahead.h"

#include <algorithm>
#include <memory>

#include "eventstore/check.h"
#include "eventstore/rocks/read/reader.h"

namespace qinglan::eventstore::rocks {
namespace {

// Of a condition: whoever asks has others to serve, as a thread of gRPC's. A longer way is the writer's.
constexpr size_t kStepsMax = 500;

// The last position before the first event past `after` that meets the condition, or `up_to`.
absl::StatusOr<Position> BeforeFirstMatch(const Index& index, const AppendCondition& condition,
                                          Position up_to) {
  Position clear = up_to;
  const auto meet = [&](const EventView& event) {
    clear = Position(event.position.value - 1);
    return false;
  };
  QL_RETURN_IF_ERROR(ReadMatching(index, condition.fail_if_events_match,
                                  {.after = condition.after, .limit = 1}, up_to, meet, Keep::kNothing,
                                  kStepsMax)
                         .status());
  return clear;
}

}  // namespace

Position CheckAhead(const Index& index, const AppendCondition& condition, Position head) {
  constexpr Position kUnknown(0);
  const std::shared_ptr<const IndexView> view = index.view();
  if (condition.after >= view->older_end) return kUnknown;
  const bool ends_in_newest = view->newest->MayMatchPast(condition.fail_if_events_match, view->older_end);
  const Position up_to = ends_in_newest ? head : std::min(head, view->older_end);
  return BeforeFirstMatch(index, condition, up_to).value_or(kUnknown);
}

}  // namespace qinglan::eventstore::rocks
