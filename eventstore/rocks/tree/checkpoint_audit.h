// Whether the checkpoints that were signed of a log are whole, and of that log.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "eventstore/event.h"
#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

// OK when every line of the file is as it was written and speaks of no more than the log up to `head`, and
// when the log's tree has the root that the last line tells, and those that lines without a checksum tell:
// the others were held against the log before the next was signed. OK, too, when there is no such file. Who
// signed is not looked at: that takes a key. DATA_LOSS says what is wrong, and in which line; UNAVAILABLE.
[[nodiscard]] absl::Status AuditCheckpoints(const std::string& file, const Database& database, Position head);

}  // namespace qinglan::eventstore::rocks
