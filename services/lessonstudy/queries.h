// What can be asked of lesson study: folds of one thing's or one teacher's events, read from the log at the
// time of asking, so that nobody waits for a view to catch up. Thread-safe.
//
// Errors of all: UNAVAILABLE when the log here has not reached min_position; those of EventStore::Read.
#pragma once

#include <absl/status/statusor.h>

#include "eventstore/event_store.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"

namespace qinglan::lessonstudy {

absl::StatusOr<v1::GetCycleResponse> GetCycle(const eventstore::EventStore& store,
                                              const v1::GetCycleRequest& request);

absl::StatusOr<v1::GetObservationResponse> GetObservation(const eventstore::EventStore& store,
                                                          const v1::GetObservationRequest& request);

// INVALID_ARGUMENT PAGE_TOKEN.
absl::StatusOr<v1::ListObservationsResponse> ListObservations(const eventstore::EventStore& store,
                                                              const v1::ListObservationsRequest& request);

absl::StatusOr<v1::GetReflectionResponse> GetReflection(const eventstore::EventStore& store,
                                                        const v1::GetReflectionRequest& request);

}  // namespace qinglan::lessonstudy
