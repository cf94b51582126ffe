// What a request refers to exists when something in the log bears its tag. That its story begins as it must
// is asked here, once a thing: whoever may append can record what came later of something that never began,
// and a decision about it would find nothing to build on.
#pragma once

#include <absl/status/status.h>

#include "eventstore/event.h"
#include "services/runtime/access/subject.h"

namespace qinglan::runtime {

// OK when the first event that bears the thing's tag is the one that begins it (`refers_to`, rules.proto) and
// names it. UNAVAILABLE when it is of a type that this version does not know; else DATA_LOSS with the event's
// position.
absl::Status CheckBegins(const eventstore::EventView& first, const Reference& thing);

}  // namespace qinglan::runtime
