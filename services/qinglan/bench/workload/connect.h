// The store of a server.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <vector>

#include "eventstore/event_store.h"
#include "services/qinglan/bench/options.h"

namespace qinglan::bench {

// --connections of them, each with a channel of its own. INVALID_ARGUMENT when the token file cannot be read;
// UNAVAILABLE when no server answers; UNAUTHENTICATED or PERMISSION_DENIED when it does not let the token in.
absl::StatusOr<std::vector<std::unique_ptr<eventstore::EventStore>>> Connect(const BenchOptions& options);

}  // namespace qinglan::bench
