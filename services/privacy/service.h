// The privacy area's rpcs: holds, erasures and their receipts.
#pragma once

#include <absl/status/status.h>

#include "services/privacy/completion.h"
#include "services/privacy/receipt.h"
#include "services/runtime/sealing/sealing.h"
#include "services/runtime/service_table.h"

namespace qinglan::privacy {

// The table's environment must have its sealing by then. Without `sign` nothing is erased, as there would be
// no receipt. An erasure whose key the disk does not let go, also one that BeginPrivacy()
// found, is tried again until it does, or the table ends.
void Register(runtime::ServiceTable& table, Sign sign = nullptr, ErasureRetries::Options retrying = {});

// Before the first call is served: the log and the keys are found to belong together, which the first start
// records in the log, and erasures that were recorded but not done are done (completion.h);
// one that cannot be is logged and stops no start: what was sealed for it reads as erased.
// FAILED_PRECONDITION when the log was sealed with other keys.
[[nodiscard]] absl::Status BeginPrivacy(eventstore::EventStore& store,
                                        const runtime::Environment& environment);

}  // namespace qinglan::privacy
