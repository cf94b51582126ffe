#include "projections/runner/same_log.h"

#include <fmt/format.h>

#include <string>

#include "eventstore/check.h"

namespace qinglan::projections {

using eventstore::EventView;
using eventstore::Position;

absl::Status CheckSameLog(const eventstore::EventStore& store, const ViewId& view,
                          const Checkpoint& checkpoint, Position head) {
  if (checkpoint.position > head) {
    return absl::FailedPreconditionError(fmt::format(
        "view {} has come to position {}, but the log ends at {}: the log is not the one that the "
        "view was made from, or was restored to an earlier state",
        view.ToString(), checkpoint.position.value, head.value));
  }
  if (checkpoint.last_applied.value == 0) return absl::OkStatus();
  std::string found;
  eventstore::ReadOptions one;
  one.after = Position(checkpoint.last_applied.value - 1);
  one.up_to = checkpoint.last_applied;
  QL_RETURN_IF_ERROR(store
                         .Read(eventstore::Query::All(), one,
                               [&](const EventView& event) {
                                 found = event.Id();
                                 return false;
                               })
                         .status());
  if (found == checkpoint.last_event_id) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "view {} applied event {} at position {}, where the log has {}: it was made from another log",
      view.ToString(), checkpoint.last_event_id, checkpoint.last_applied.value, found));
}

}  // namespace qinglan::projections
