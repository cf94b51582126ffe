// What can be asked of training: folds of one session's, one organisation's or one teacher's events, read
// from the log at the time of asking, so that nobody waits for a view to catch up. Each answer is bounded: by
// a session's capacity and half-days, or by a page. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include "eventstore/event_store.h"
#include "qinglan/training/v1/training_service.pb.h"

namespace qinglan::training {

// Errors of all: UNAVAILABLE when the log here has not reached min_position; those of EventStore::Read.

absl::StatusOr<v1::GetSessionResponse> GetSession(const eventstore::EventStore& store,
                                                  const v1::GetSessionRequest& request);

// INVALID_ARGUMENT PAGE_TOKEN.
absl::StatusOr<v1::ListSessionsResponse> ListSessions(const eventstore::EventStore& store,
                                                      const v1::ListSessionsRequest& request);

// INVALID_ARGUMENT PAGE_TOKEN.
absl::StatusOr<v1::ListTeacherSessionsResponse> ListTeacherSessions(
    const eventstore::EventStore& store, const v1::ListTeacherSessionsRequest& request);

}  // namespace qinglan::training
