// What can be asked of mentoring: folds of one pairing's, one teacher's or one organisation's events, read
// from the log at the time of asking, so that nobody waits for a view to catch up. Thread-safe.
//
// Errors of all: UNAVAILABLE when the log here has not reached min_position; those of EventStore::Read.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <cstddef>
#include <string>

#include "eventstore/event_store.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"

namespace qinglan::mentoring {

// Of fewer pairings a mean would tell who said what, so none is given. It protects people and is no number of
// the field's.
inline constexpr size_t kVoicesMin = 5;

// Who asks, and when.
struct Asker {
  std::string teacher_id;  // empty when the caller is no teacher
  absl::CivilDay today;
};

// A contact's note is for the teacher who wrote it: the others get the contact without.
absl::StatusOr<v1::GetPairingResponse> GetPairing(const eventstore::EventStore& store,
                                                  const v1::GetPairingRequest& request, const Asker& asker);

// INVALID_ARGUMENT PAGE_TOKEN.
absl::StatusOr<v1::ListPairingsResponse> ListPairings(const eventstore::EventStore& store,
                                                      const v1::ListPairingsRequest& request,
                                                      const Asker& asker);

// INVALID_ARGUMENT END_BEFORE_START.
absl::StatusOr<v1::GetMenteeVoiceResponse> GetMenteeVoice(const eventstore::EventStore& store,
                                                          const v1::GetMenteeVoiceRequest& request,
                                                          const Asker& asker);

}  // namespace qinglan::mentoring
