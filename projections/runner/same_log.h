// Part of the runner: a build goes on only over the log that it was made from.
#pragma once

#include <absl/status/status.h>

#include "eventstore/event_store.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

// FAILED_PRECONDITION when the build has come further than the log (which was restored to an earlier state)
// or was made from another one; the log's errors.
[[nodiscard]] absl::Status CheckSameLog(const eventstore::EventStore& store, const ViewId& view,
                                        const Checkpoint& checkpoint, eventstore::Position head);

}  // namespace qinglan::projections
