#include "eventstore/rocks/write/check_ahead.h"

#include "eventstore/rocks/read/reader.h"

namespace qinglan::eventstore::rocks {

Position CheckAhead(const Index& index, const AppendRequest& request) {
  constexpr Position kUnknown(0);
  const Position settled = index.view()->older_end;
  if (!absl::IsNotFound(FindStoredCommit(index, request.commit_id, settled).status())) return kUnknown;
  if (!request.condition.has_value()) return settled;
  bool met = false;
  const auto meet = [&](const EventView&) {
    met = true;
    return false;
  };
  const AppendCondition& condition = *request.condition;
  const auto read =
      ReadMatching(index, condition.fail_if_events_match, {.after = condition.after}, settled, meet);
  return read.ok() && !met ? settled : kUnknown;
}

}  // namespace qinglan::eventstore::rocks
