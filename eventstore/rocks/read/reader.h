// Answers queries from the log and its index.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/event_store.h"
#include "eventstore/query.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/index/index.h"

namespace qinglan::eventstore::rocks {

// Whether what is read by tags or types is kept in memory for the next reader, as long as it is not much.
enum class Keep { kNothing, kFirstEvents };

// EventStore::Read() for a reader that may see up to `head`. RESOURCE_EXHAUSTED when it takes more than so
// many steps from one entry of the index to the next.
absl::StatusOr<Position> ReadMatching(const Index& index, const Query& query, const ReadOptions& options,
                                      Position head, EventVisitor visit, Keep keep = Keep::kNothing,
                                      size_t steps_max = SIZE_MAX);

// EventStore::FindCommit() for a reader that may see up to `head`.
absl::StatusOr<EventStore::Commit> FindStoredCommit(const Index& index, std::string_view commit_id,
                                                    Position head);

// EventStore::HeadAt() for a reader that may see up to `head`: a binary search, for recorded_at never goes
// back.
absl::StatusOr<Position> FindHeadAt(const Database& database, absl::Time instant, Position head);

// The end of what is stored: the last record's position and time, or position 0 and the infinite past.
struct LogEnd {
  Position head;
  absl::Time recorded_at = absl::InfinitePast();
};
absl::StatusOr<LogEnd> FindLogEnd(const Database& database);

}  // namespace qinglan::eventstore::rocks
