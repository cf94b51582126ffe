// One read of a remote log, which goes on over another call when its connection breaks.
#pragma once

#include <absl/status/statusor.h>

#include "eventstore/event_store.h"
#include "services/eventstore/client/connection.h"
#include "services/eventstore/client/page_pipe.h"

namespace qinglan::eventstore::remote {

// EventStore::Read() of a query that has been checked. UNAVAILABLE after `timeout` without a message.
absl::StatusOr<Position> ReadRemote(const Connection& connection, PagePipe& pages, absl::Duration timeout,
                                    const Query& query, const ReadOptions& options, EventVisitor visit);

}  // namespace qinglan::eventstore::remote
