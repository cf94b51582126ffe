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

Position CheckAhead(const Index& index, const AppendRequest& request, Position head) {
  constexpr Position kUnknown(0);
  const std::shared_ptr<const IndexView> view = index.view();
  const auto& condition = request.condition;
  const bool looks_into_newest =
      condition.has_value() && view->newest->MayMatchPast(condition->fail_if_events_match,
                                                          std::max(condition->after, view->older_end));
  const Position up_to = looks_into_newest ? head : std::min(head, view->older_end);
  if (!absl::IsNotFound(FindStoredCommit(index, request.commit_id, up_to).status())) return kUnknown;
  return condition.has_value() ? BeforeFirstMatch(index, *condition, up_to).value_or(kUnknown) : up_to;
}

}  // namespace qinglan::eventstore::rocks
